-- Keep a session of a member of staff, or a sign-in that was begun.
-- KEYS: session, sessions of the member.
-- ARGV: token's digest, machine now ms, ms until it ends by itself, ms that sessions are listed,
--       fields...
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2] - ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
