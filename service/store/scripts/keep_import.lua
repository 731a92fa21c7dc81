-- Keep a file that is to be imported, once.
-- KEYS: import, index of imports.
-- ARGV: import id, at ms, for how long ms, then fields and values...  Returns 1, or 0 where it is there.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
