-- Move up to ARGV[2] due subscriptions into flight under a lease, each with a fencing token.
-- KEYS: due, held, fence, counts.  ARGV: business now ms, limit, lease end (machine ms), patient key prefix.
-- Returns subscription, token and due of each, one after the other. Their patients are read apart:
-- a whole record that passes through a script costs the server several times as much.
--@ shared/counting.lua
local members = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
if #members == 0 then return {} end
local token = redis.call('INCRBY', KEYS[3], #members / 2) - #members / 2
local names, leases, claimed = {}, {}, {}
for i = 1, #members, 2 do
  local member, due = members[i], members[i + 1]
  local dot = string.find(member, '.', 1, true)
  local n = string.sub(member, dot + 1)
  local patient = ARGV[4] .. string.sub(member, 1, dot - 1)
  names[#names + 1] = member
  local status = redis.call('HGET', patient, 'u' .. n)
  -- A pause that was to last until now is over: HDEL says that there is one.
  if status == 'p' and redis.call('HDEL', patient, 'd' .. n) == 1 then
    redis.call('HSET', patient, 'u' .. n, 'a')
    status = 'a'
    local record = redis.call('HMGET', patient, 's' .. n, 't' .. n)
    count_status(record[2], record[1], 'p', 'a')
  end
  -- A subscription that was paused, stopped or erased meanwhile simply leaves the index.
  if status == 'a' then
    token = token + 1
    leases[#leases + 1] = ARGV[3]
    leases[#leases + 1] = member
    redis.call('HSET', patient, 'f' .. n, token .. '|c|' .. due)
    local at = #claimed
    claimed[at + 1], claimed[at + 2], claimed[at + 3] = member, token, due
  end
end
redis.call('ZREM', KEYS[1], unpack(names))
if #leases > 0 then redis.call('ZADD', KEYS[2], unpack(leases)) end
write_counts(KEYS[4])
return claimed
