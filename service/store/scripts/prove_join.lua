-- Note that an address of a join has proven itself; the first proof of each channel stands.
-- KEYS: join.  ARGV: channel's letter, proof.
-- Returns 1 where the join is there, 0 where it has expired.
local known = redis.call('HGET', KEYS[1], 'c')
if not known then return 0 end
-- Written even where nothing changes: WAITAOF confirms at once on a connection that wrote nothing.
redis.call('HSET', KEYS[1], 'c', known)
redis.call('HSETNX', KEYS[1], 'f', ARGV[1])
redis.call('HSETNX', KEYS[1], 'v' .. ARGV[1], ARGV[2])
return 1
