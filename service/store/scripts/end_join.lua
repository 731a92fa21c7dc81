-- Note that a proven channel of a join is enrolled, and as whom.
-- KEYS: join.  ARGV: channel's letter, patient, 1 where the join made the patient.
-- Returns 1 where it was noted, 0 where the join has expired meanwhile.
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'd' .. ARGV[1], ARGV[2])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'p', ARGV[2]) end
return 1
