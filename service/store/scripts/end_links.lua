-- Make every link to a patient's page dead that was made before.
-- KEYS: patient, audit.  ARGV: patient id, source, business now ms.
-- Returns how often that was done, this time included; 0 where there is no such patient.
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'what', 'links_ended', 'on', ARGV[1], 'by', ARGV[2], 'at', ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'e', 1)
