-- Count a bounce of a mailbox that does not prove it dead; an attempt counts once.
-- KEYS: bounces.
-- ARGV: attempt, business now ms, ms over which bounces are counted.
-- Returns how many attempts bounced in that time, this one included.
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (tonumber(ARGV[2]) - tonumber(ARGV[3])))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('ZCARD', KEYS[1])
