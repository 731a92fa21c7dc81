-- Record that a reply meant something else than what was understood; what was understood is kept.
-- KEYS: reply, address, open corrections, audit.
-- ARGV: corrections that stood when it was decided, 'out' (a stop), 'in' (a start) or '' (neither),
--       machine now ms, who says so, business now ms, what it means now (words, for the audit),
--       encrypted history of corrections, fields...
-- A stop is numbered among those of its address as if it came now, so that a start which comes after it
-- can be told; a start holds how many stops stood before it ('xs'; see record_reply.lua).
-- Returns {'ok' | 'changed' (somebody was first) | 'gone'}.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end
local known = redis.call('HMGET', KEYS[1], 'xv', 'xn')
if (known[1] or '0') ~= ARGV[1] then return {'changed'} end
local stops = '0'
if ARGV[2] == 'out' then
  stops = redis.call('HINCRBY', KEYS[2], 'w', 1)
  local latest = tonumber(redis.call('HGET', KEYS[2], 'wt') or '0')
  if tonumber(ARGV[3]) > latest then redis.call('HSET', KEYS[2], 'wt', ARGV[3]) end
elseif ARGV[2] == 'in' then
  redis.call('HSET', KEYS[1], 'xs', redis.call('HGET', KEYS[2], 'w') or '0')
end
redis.call('HSET', KEYS[1], 'xv', tonumber(ARGV[1]) + 1, 'xb', ARGV[4], 'xt', ARGV[5], 'xh', ARGV[7],
  'xn', (known[2] and known[2] .. ',' or '') .. stops, unpack(ARGV, 8))
redis.call('HDEL', KEYS[1], 'xd')
redis.call('ZADD', KEYS[3], ARGV[3], string.match(KEYS[1], ':([^:]*)$'))
redis.call('XADD', KEYS[4], '*', 'what', 'reply_corrected', 'on', string.match(KEYS[2], ':([^:]*)$'),
  'by', ARGV[4], 'reason', ARGV[6], 'at', ARGV[5])
return {'ok'}
