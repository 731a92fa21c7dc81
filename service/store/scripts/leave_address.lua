-- Take a patient out of an address's index; its suppression stays as it is.
-- KEYS: address.  ARGV: patient.  Returns 1 where the patient was in it.
local was = redis.call('HDEL', KEYS[1], 'p:' .. ARGV[1])
-- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
local sequence = redis.call('HGET', KEYS[1], 'q')
if sequence then redis.call('HSET', KEYS[1], 'q', sequence) end
return was
