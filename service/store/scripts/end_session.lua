-- End a session.
-- KEYS: session, sessions of the member.  ARGV: token's digest.
-- Returns 1 where there was one.
local there = redis.call('DEL', KEYS[1])
-- Written even where there was none: WAITAOF confirms at once on a connection that wrote nothing.
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return there
