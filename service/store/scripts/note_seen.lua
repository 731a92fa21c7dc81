-- Note that somebody looked at a patient: once, for as long as that is remembered.
-- KEYS: audit, look.
-- ARGV: patient id, by whom, business now ms, for how long the next looks are the same one, ms.
-- Returns 1, or 0 where it is the same look.
if not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[4]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'what', 'seen', 'on', ARGV[1], 'by', ARGV[2], 'at', ARGV[3])
return 1
