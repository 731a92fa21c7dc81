-- Keep what somebody asked for until the address has proven itself; asked again, it stays what it is.
-- KEYS: join, the join that a phone's answer is for.
-- ARGV: time to live ms, join's id where the phone's answer is for it ('' = it has none), fields...
-- Returns 1 where it was kept, 0 where it was before.
local known = redis.call('HGET', KEYS[1], 'c')
if known then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], 'c', known)
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[1]) end
return 1
