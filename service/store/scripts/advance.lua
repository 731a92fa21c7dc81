-- Move business time on, never back: a beat that was held up may have been overtaken by another.
-- KEYS: clock.  ARGV: business ms.
local now = tonumber(redis.call('HGET', KEYS[1], 'now') or '0')
if tonumber(ARGV[1]) > now then redis.call('HSET', KEYS[1], 'now', ARGV[1]) end
return 1
