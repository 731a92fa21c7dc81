-- Pause, resume or stop one subscription.
-- KEYS: patient, due, audit.
-- ARGV: n, subscription, statuses it may come from, new status, due ms (for active), source, reason, at ms.
-- Returns {'ok'} | {'refused', status} | {'gone'}.
local field = 'u' .. ARGV[1]
local status = redis.call('HGET', KEYS[1], field)
if not status then return {'gone'} end
if not string.find(ARGV[3], status, 1, true) then return {'refused', status} end
redis.call('HSET', KEYS[1], field, ARGV[4])
redis.call('ZREM', KEYS[2], ARGV[2])
if ARGV[4] == 'a' and redis.call('HEXISTS', KEYS[1], 'f' .. ARGV[1]) == 0 then
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2])
end
redis.call('XADD', KEYS[3], '*', 'what', 'status_' .. ARGV[4], 'on', ARGV[2], 'by', ARGV[6],
  'reason', ARGV[7], 'at', ARGV[8])
return {'ok'}
