-- Move business time on, never back: a beat that was held up may have been overtaken by another.
-- A clock that is held stays where it is.
-- KEYS: clock.  ARGV: business ms.  Returns 1, or 0 where the clock is held.
if redis.call('HEXISTS', KEYS[1], 'held') == 1 then return 0 end
local now = tonumber(redis.call('HGET', KEYS[1], 'now') or '0')
if tonumber(ARGV[1]) > now then redis.call('HSET', KEYS[1], 'now', ARGV[1]) end
return 1
