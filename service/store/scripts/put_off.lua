-- Put off what is left to do, or note that nothing is.
-- KEYS: a sorted set by time.  ARGV: member, next look (machine ms; '' for none).
-- What was done meanwhile, by a receipt, is not brought back.
if ARGV[2] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], 'XX', ARGV[2], ARGV[1])
return 1
