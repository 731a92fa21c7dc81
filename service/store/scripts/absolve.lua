-- Note that a worker lived through a delivery that it took alone: that is no poison.
-- KEYS: patient.  ARGV: n.  The token need not hold: a store that answers late costs leases as well.
redis.call('HDEL', KEYS[1], 'w' .. ARGV[1])
