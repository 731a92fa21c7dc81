-- Put ids in front of a list: of those who were there before the list was.
-- KEYS: list.  ARGV: ids, one after the other, the oldest first.
redis.call('SET', KEYS[1], ARGV[1] .. (redis.call('GET', KEYS[1]) or ''))
return 1
