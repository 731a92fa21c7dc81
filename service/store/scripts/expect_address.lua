-- Note the address that a patient's is about to be corrected to, before they are entered under it.
-- KEYS: patient.  ARGV: channel's letter, digest of the address as it is ('' = none), as it is to be.
-- From now on no opt-out of the one is taken for an opt-out of the other.
-- Returns 'ok' | 'gone'.
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 'gone' end
redis.call('HSETNX', KEYS[1], 'n' .. ARGV[1], ARGV[2] .. '|0')
local coming = redis.call('HGET', KEYS[1], 'm' .. ARGV[1])
if not coming or string.match(coming, '^[^|]*') ~= ARGV[3] then coming = ARGV[3] .. '|0|0|' end
redis.call('HSET', KEYS[1], 'm' .. ARGV[1], coming)
return 'ok'
