-- Record what became of a message outside of a series that was begun.
-- KEYS: response, responses to send.
-- ARGV: state ('s' sent, 'f' failed, 'x' unknown, 'q' proven not sent: try again), when to try again
--       (machine ms), provider id, code.
-- Returns 1, or 0 where it was not begun.
local state = redis.call('HGET', KEYS[1], 's')
if state ~= 'b' and state ~= 'x' then return 0 end
if state == 'x' and ARGV[1] == 'q' then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[1], 'id', ARGV[3], 'rc', ARGV[4])
local name = string.match(KEYS[1], ':([^:]*)$')
if ARGV[1] == 'q' then
  redis.call('ZADD', KEYS[2], ARGV[2], name)
else
  if redis.call('HEXISTS', KEYS[1], 'kw') == 0 then redis.call('HDEL', KEYS[1], 'c') end  -- the words
  redis.call('ZREM', KEYS[2], name)
end
return 1
