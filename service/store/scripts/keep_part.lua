-- Keep a part of an import: of its file, or of what was rejected; again is harmless.
-- KEYS: part.  ARGV: blob, for how long ms.
redis.call('HSET', KEYS[1], 'c', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
