-- Look at flights whose time has come: always older than now, never a window.
-- KEYS: held, due.  ARGV: machine now ms, limit, patient key prefix, next look (machine ms).
-- Not begun, or held back for a retry -> due again.  Begun with no outcome -> in question.
-- Returns the subscriptions in question: {{subscription, flight, {patient fields...}}, ...}.
local members = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
local questions = {}
for _, member in ipairs(members) do
  local dot = string.find(member, '.', 1, true)
  local n = string.sub(member, dot + 1)
  local patient = ARGV[3] .. string.sub(member, 1, dot - 1)
  local flight = redis.call('HGET', patient, 'f' .. n)
  local token, state, due, rest
  if flight then token, state, due, rest = string.match(flight, '^(%d+)|(%a)|([^|]*)(.*)') end
  if not flight then
    redis.call('ZREM', KEYS[1], member)
  elseif state == 'c' or state == 'r' then
    -- A lease that ran out before its send was begun makes it a suspect, to be taken alone
    -- (suspect.lua counts). No more than that: a store that stalls costs leases as well.
    if state == 'c' then redis.call('HSETNX', patient, 'w' .. n, 1) end
    redis.call('HDEL', patient, 'f' .. n)
    redis.call('ZREM', KEYS[1], member)
    local standing = redis.call('HMGET', patient, 'u' .. n, 'd' .. n)
    if standing[1] == 'p' then due = standing[2] end  -- paused meanwhile: until then, or not at all
    if due and string.find('ap', standing[1] or '-', 1, true) then redis.call('ZADD', KEYS[2], due, member) end
  else
    flight = token .. '|q|' .. due .. rest
    redis.call('HSET', patient, 'f' .. n, flight)
    redis.call('ZADD', KEYS[1], ARGV[4], member)
    questions[#questions + 1] = {member, flight, redis.call('HGETALL', patient)}
  end
end
return questions
