-- End flights: record what became of each and say where its subscription goes next.
-- KEYS: held, due, then for each: patient, history, attempt ('-' key of the slot where there is none).
-- ARGV: for each: n, subscription, token, states it may be in ('c' or 'bq'),
--       cursor ('' = unchanged), history field ('' = none), delivery state, history rest,
--       where ('due' | 'back' | 'hold' | 'question' | 'end'), when ms,
--       give back the day's cap (1/0), provider id ('' = none).
-- Returns for each 'ok', or 'lost' where the token no longer holds: that record is then refused.
local WIDTH = 12
local waiting, leaving, coming = {}, {}, {}

local function add(list, when, member)
  list[#list + 1] = when
  list[#list + 1] = member
end

-- The delivery's entry in the history, and what its attempt is joined to it by.
local function record(history, attempt, known, at)
  local field, outcome, provider = ARGV[at + 5], ARGV[at + 6], ARGV[at + 11]
  local joined = {}
  if known ~= '' and provider ~= '' then joined = {'id', provider} end
  if field ~= '' then
    if known ~= '' then
      add(joined, 'h', field)
      -- A receipt that came before this record: what it proved stands, where nothing else did.
      local receipt = redis.call('HGET', attempt, 'rs')
      if receipt and (outcome == 's' or outcome == 'x') then outcome = receipt end
    end
    redis.call('HSET', history, field, outcome .. '|' .. ARGV[at + 7])
  end
  if #joined > 0 then redis.call('HSET', attempt, unpack(joined)) end
end

local function without(days, day)
  local rest = {}
  for seen in string.gmatch(days or '', '%d+') do
    if seen ~= day then rest[#rest + 1] = seen end
  end
  return table.concat(rest, ',')
end

local function conclude(patient, history, attempt, at)
  local n, member, where, when = ARGV[at], ARGV[at + 1], ARGV[at + 8], ARGV[at + 9]
  local fields = redis.call('HMGET', patient, 'f' .. n, 'u' .. n, 'w' .. n, 'r')
  local flight, status = fields[1], fields[2]
  if not flight then return 'lost' end
  local token, state, due, known, day =
    string.match(flight, '^(%d+)|(%a)|([^|]*)|?([^|]*)|?([^|]*)')
  if token ~= ARGV[at + 2] or not string.find(ARGV[at + 3], state, 1, true) then return 'lost' end
  record(history, attempt, known, at)
  local written, removed = {}, {}
  if ARGV[at + 4] ~= '' then add(written, 'k' .. n, ARGV[at + 4]) end
  if ARGV[at + 10] == '1' and day ~= '' then add(written, 'r', without(fields[4], day)) end
  -- Given back without having been looked at ('back'): whether it kills workers is still not known.
  if fields[3] and where ~= 'back' and where ~= 'question' then removed[1] = 'w' .. n end
  if where == 'question' then
    add(written, 'f' .. n, table.concat({token, 'q', due, known, day}, '|'))
    add(waiting, when, member)
  elseif where == 'hold' then
    add(written, 'f' .. n, table.concat({token, 'r', due}, '|'))
    add(waiting, when, member)
  else
    removed[#removed + 1] = 'f' .. n
    leaving[#leaving + 1] = member
    if where == 'end' then
      add(written, 'u' .. n, 'c')
    elseif status == 'a' then
      add(coming, when, member)
    end
  end
  if #written > 0 then redis.call('HSET', patient, unpack(written)) end
  if #removed > 0 then redis.call('HDEL', patient, unpack(removed)) end
  return 'ok'
end

local answers = {}
for item = 1, (#KEYS - 2) / 3 do
  local key = item * 3
  answers[item] = conclude(KEYS[key], KEYS[key + 1], KEYS[key + 2], 1 + (item - 1) * WIDTH)
end
if #waiting > 0 then redis.call('ZADD', KEYS[1], unpack(waiting)) end
if #leaving > 0 then redis.call('ZREM', KEYS[1], unpack(leaving)) end
if #coming > 0 then redis.call('ZADD', KEYS[2], unpack(coming)) end
return answers
