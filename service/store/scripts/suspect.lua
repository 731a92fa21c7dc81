-- Note that a claim is about to be worked on alone; what it is counted for ends with its conclusion.
-- KEYS: patient.  ARGV: n, token.  Returns how often it was taken alone or lost its lease before.
local flight = redis.call('HGET', KEYS[1], 'f' .. ARGV[1])
if not flight or string.match(flight, '^%d+') ~= ARGV[2] then return 0 end
return redis.call('HINCRBY', KEYS[1], 'w' .. ARGV[1], 1) - 1
