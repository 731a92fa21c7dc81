-- Put a value that was encrypted anew in its old one's place, unless that has changed meanwhile.
-- KEYS: hash or list.  ARGV: field, or place in the list; the value as it was; as it is to be.
-- Returns 1, or 0 where it is not what it was: whoever wrote it since has used the newer key.
if redis.call('TYPE', KEYS[1]).ok == 'list' then
  if redis.call('LINDEX', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('LSET', KEYS[1], ARGV[1], ARGV[3])
  return 1
end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
