-- Close a sender until a time; a shorter wait never ends a longer one.
-- KEYS: bucket.  ARGV: until (machine ms), time-to-live ms.
local known = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
if tonumber(ARGV[1]) > known then redis.call('HSET', KEYS[1], 'until', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
