-- Enter a patient under an address and read its suppression, in one step.
-- KEYS: address.  ARGV: patient.  Returns {sequence, '1' or '0', reason}.
redis.call('HSET', KEYS[1], 'p:' .. ARGV[1], '')
local record = redis.call('HMGET', KEYS[1], 'q', 'x', 'y')
return {record[1] or '0', record[2] or '0', record[3] or ''}
