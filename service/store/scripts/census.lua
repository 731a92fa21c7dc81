-- How a partition stands, for staff: {waiting, of these overdue, in flight, of these in question, left to do}.
-- KEYS: due, held, afterwards.  ARGV: business now ms, patient key prefix.
local questions = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local patient, n = string.match(member, '^([^.]+)%.(.+)$')
  local flight = redis.call('HGET', ARGV[2] .. patient, 'f' .. n)
  if flight and string.find(flight, '^%d+|[bq]') then questions = questions + 1 end
end
return {redis.call('ZCARD', KEYS[1]), redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1]),
  redis.call('ZCARD', KEYS[2]), questions, redis.call('ZCARD', KEYS[3])}
