-- Note that an inbound message's effects are complete, and the answer it got; the first call wins.
-- KEYS: reply, open replies, counts.
-- ARGV: message name, encrypted answer ('' for none), then what it is counted as...
-- Returns {message name, encrypted answer}.
--@ shared/counting.lua
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSETNX', KEYS[1], 'd', '1') == 1 then
  redis.call('HSET', KEYS[1], 'm', ARGV[1], 'r', ARGV[2])
  for i = 3, #ARGV do count(ARGV[i], 1) end
  write_counts(KEYS[3])
end
redis.call('ZREM', KEYS[2], string.match(KEYS[1], ':([^:]*)$'))
local record = redis.call('HMGET', KEYS[1], 'm', 'r')
return {record[1] or '', record[2] or ''}
