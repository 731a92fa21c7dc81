-- Note that the effects of a correction are complete, unless another one has come since.
-- KEYS: reply, open corrections.  ARGV: number of the correction.
-- Returns 1, or 0 where it is not the newest any more.
local newest = redis.call('HGET', KEYS[1], 'xv')
if newest and newest ~= ARGV[1] then return 0 end
if newest then redis.call('HSET', KEYS[1], 'xd', '1') end
redis.call('ZREM', KEYS[2], string.match(KEYS[1], ':([^:]*)$'))
return 1
