-- Close a sender until a time; a shorter wait never ends a longer one.
-- KEYS: sender.  ARGV: until (machine ms), time-to-live ms.
local record = redis.call('HMGET', KEYS[1], 'until', 'stopped')
if tonumber(ARGV[1]) > tonumber(record[1] or '0') then redis.call('HSET', KEYS[1], 'until', ARGV[1]) end
if not record[2] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
