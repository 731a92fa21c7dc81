-- Note that an address's suppression has been carried to every patient, unless it changed meanwhile.
-- KEYS: address, open fan-outs.  ARGV: member, sequence that was carried.  Returns 1 or 0.
if redis.call('HGET', KEYS[1], 'q') ~= ARGV[2] then return 0 end
return redis.call('ZREM', KEYS[2], ARGV[1])
