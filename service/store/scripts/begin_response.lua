-- Begin to send a message outside of a series, where that is still wanted; at most once.
-- KEYS: response, responses to send, address.
-- ARGV: machine now ms, lease end (machine ms).
-- The address's own record stands in the same slot, so that its suppression is asked here.
-- Returns 'ok', 'expired', 'suppressed', 'unknown' (begun before, and no outcome), or 'lost'.
local record = redis.call('HMGET', KEYS[1], 's', 'x', 'f', 'u')
local name = string.match(KEYS[1], ':([^:]*)$')
local function over(state)
  redis.call('HSET', KEYS[1], 's', state)
  if redis.call('HEXISTS', KEYS[1], 'kw') == 0 then redis.call('HDEL', KEYS[1], 'c') end  -- the words
  redis.call('ZREM', KEYS[2], name)
end
if not record[1] then
  redis.call('ZREM', KEYS[2], name)
  return 'lost'
end
if record[1] == 'b' then
  if tonumber(record[4]) > tonumber(ARGV[1]) then return 'lost' end
  over('x')  -- it may have been sent: never again
  return 'unknown'
end
if record[1] ~= 'q' then
  redis.call('ZREM', KEYS[2], name)
  return 'lost'
end
if tonumber(record[2]) <= tonumber(ARGV[1]) then
  over('d')
  return 'expired'
end
if record[3] == '0' and redis.call('HGET', KEYS[3], 'x') == '1' then
  over('n')
  return 'suppressed'
end
redis.call('HSET', KEYS[1], 's', 'b', 'u', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], name)
return 'ok'
