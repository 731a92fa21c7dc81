-- Move up to ARGV[2] due subscriptions into flight under a lease, each with a fencing token.
-- KEYS: due, held, fence.  ARGV: business now ms, limit, lease end (machine ms), patient key prefix.
-- Returns {{subscription, token, due, {patient fields...}}, ...}.
local members = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
local claimed = {}
for i = 1, #members, 2 do
  local member, due = members[i], members[i + 1]
  local dot = string.find(member, '.', 1, true)
  local n = string.sub(member, dot + 1)
  local patient = ARGV[4] .. string.sub(member, 1, dot - 1)
  redis.call('ZREM', KEYS[1], member)
  -- A subscription that was paused, stopped or erased meanwhile simply leaves the index.
  if redis.call('HGET', patient, 'u' .. n) == 'a' then
    local token = redis.call('INCR', KEYS[3])
    redis.call('ZADD', KEYS[2], ARGV[3], member)
    redis.call('HSET', patient, 'f' .. n, token .. '|c|' .. due)
    claimed[#claimed + 1] = {member, token, due, redis.call('HGETALL', patient)}
  end
end
return claimed
