-- Count something against a limit, where that still holds.
-- KEYS: limit.  ARGV: machine now ms, most, over how many ms, counts (1/0).
-- The latest times of what was allowed are kept, so that no stretch of that length ever has more.
-- Returns 1 where it is allowed, and then counted unless ARGV says otherwise.
local now, most, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if most < 1 then return 0 end
local oldest = redis.call('LINDEX', KEYS[1], -most)
-- A time that lies ahead is of a clock that was set back meanwhile: it must not close for longer.
if oldest and tonumber(oldest) > now - span and tonumber(oldest) <= now + span then return 0 end
if ARGV[4] == '0' then return 1 end
redis.call('RPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], -most, -1)
redis.call('PEXPIRE', KEYS[1], span)
return 1
