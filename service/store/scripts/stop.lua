-- Stop a sender that its provider refuses, until it is resumed; it does not expire.
-- KEYS: sender.
-- ARGV: machine now ms, when the refused attempt was begun, code, reason,
--       what proves that it works again ('answer' | 'receipt'), ms until the first probe.
-- A refusal of what was begun before the sender was last resumed is old news.
-- Returns 1 where it was not stopped before, 0 where it was, -1 for old news.
local record = redis.call('HMGET', KEYS[1], 'stopped', 'resumed')
if tonumber(ARGV[2]) < tonumber(record[2] or '0') then return -1 end
redis.call('HSET', KEYS[1], 'code', ARGV[3], 'reason', ARGV[4], 'proof', ARGV[5], 'refused', ARGV[1])
redis.call('PERSIST', KEYS[1])
if record[1] then return 0 end
redis.call('HSET', KEYS[1], 'stopped', ARGV[1], 'probe', tonumber(ARGV[1]) + tonumber(ARGV[6]))
return 1
