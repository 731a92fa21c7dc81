-- Note that an inbound message's effects are complete, and the answer it got; the first call wins.
-- KEYS: reply, open replies.  ARGV: message name, encrypted answer ('' for none).
-- Returns {message name, encrypted answer}.
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSETNX', KEYS[1], 'd', '1') == 1 then
  redis.call('HSET', KEYS[1], 'm', ARGV[1], 'r', ARGV[2])
end
redis.call('ZREM', KEYS[2], string.match(KEYS[1], ':([^:]*)$'))
local record = redis.call('HMGET', KEYS[1], 'm', 'r')
return {record[1] or '', record[2] or ''}
