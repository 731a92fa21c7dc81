-- Write Attempts before the provider is called, each unless its send is no longer allowed.
-- KEYS: held, then for each: patient, attempt.
-- ARGV: attempt time-to-live ms, drips a week, then for each: n, subscription, token, suppression
--       field, attempt id, local day for the cap ('' = not counted), patient id, step, channel, body
--       hash, probe ('' = none), lease end and begun (both machine ms), what was tried of it before
--       ('' = nothing), the field of a delivery that is tried again ('' = it is at the cursor).
-- Returns for each 'ok', 'lost', 'stopped', 'suppressed', 'capped_day' or 'capped_week'.
local WIDTH = 15

-- The days on which a drip was begun with this one's added, or why it may not be one more.
local function with_day(days, today, most)
  local day, week, recent = tonumber(today), 0, {}
  for seen in string.gmatch(days or '', '%d+') do
    local number = tonumber(seen)
    if number == day then return nil, 'capped_day' end
    if number > day - 7 then
      week = week + 1
      recent[#recent + 1] = seen
    end
  end
  if week >= most then return nil, 'capped_week' end
  recent[#recent + 1] = today
  return table.concat(recent, ',')
end

local function begin(patient, attempt, at)
  local n, id, today = ARGV[at], ARGV[at + 4], ARGV[at + 5]
  local record = redis.call('HMGET', patient, 'f' .. n, 'u' .. n, ARGV[at + 3], 'r')
  local flight, copy = record[1], record[3]
  if not flight then return 'lost' end
  local token, state, due, begun = string.match(flight, '^(%d+)|(%a)|([^|]*)|?([^|]*)')
  if token ~= ARGV[at + 2] then return 'lost' end
  -- The same call again, its first answer lost on the way: it has begun. Written once more, since
  -- WAITAOF confirms at once on a connection that wrote nothing.
  if state == 'b' and begun == id then
    redis.call('HSET', patient, 'f' .. n, flight)
    return 'ok'
  end
  if state ~= 'c' then return 'lost' end
  if record[2] ~= 'a' then return 'stopped' end
  -- A receipt that came since the claim may have taken it back: the patient has the message.
  if ARGV[at + 14] ~= '' and redis.call('HEXISTS', patient, ARGV[at + 14]) == 0 then return 'stopped' end
  if copy and string.match(copy, '^%d+|1') then return 'suppressed' end
  local written = {'f' .. n, table.concat({token, 'b', due, id, today}, '|')}
  if today ~= '' then
    local days, why = with_day(record[4], today, tonumber(ARGV[2]))
    if not days then return why end
    written[3], written[4] = 'r', days
  end
  redis.call('HSET', patient, unpack(written))
  local fields = {'p', ARGV[at + 6], 'n', n, 'i', ARGV[at + 7], 'ch', ARGV[at + 8],
    'at', ARGV[at + 12], 'bh', ARGV[at + 9]}
  for name, value in pairs({pr = ARGV[at + 10], tr = ARGV[at + 13], dy = today}) do
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  redis.call('HSET', attempt, unpack(fields))
  redis.call('PEXPIRE', attempt, ARGV[1])
  return 'ok'
end

local answers, leases = {}, {}
for item = 1, (#KEYS - 1) / 2 do
  local at = 3 + (item - 1) * WIDTH
  answers[item] = begin(KEYS[item * 2], KEYS[item * 2 + 1], at)
  if answers[item] == 'ok' then
    leases[#leases + 1] = ARGV[at + 11]
    leases[#leases + 1] = ARGV[at + 1]
  end
end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return answers
