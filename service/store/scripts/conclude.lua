-- End flights: record what became of each and say where its subscription goes next.
-- KEYS: held, due, dead letters, afterwards, counts, then for each: patient, history, attempt ('-' key
--       of the slot where there is none).
-- ARGV: for each: n, subscription, token, states it may be in ('c' or 'bq'),
--       field and value of its place ('' = unchanged; the value '-' takes the field away),
--       history field ('' = none), delivery state, history rest, when that was (business ms),
--       where ('due' | 'back' | 'hold' | 'question' | 'end'), when ms,
--       give back the day's cap (1/0), provider id ('' = none).
-- Returns for each 'ok', or 'lost' where the token no longer holds: that record is then refused.
--@ shared/counting.lua
local WIDTH = 14
local waiting, leaving, coming, dead, after = {}, {}, {}, {}, {}

local function add(list, when, member)
  list[#list + 1] = when
  list[#list + 1] = member
end

-- The delivery's entry in the history, and what its attempt is joined to it by. Returns what is to
-- be tried again, where a receipt has already proven that this attempt failed for good.
local function record(history, attempt, known, at, subscription, clinic)
  local field, outcome, rest = ARGV[at + 6], ARGV[at + 7], ARGV[at + 8]
  local provider = ARGV[at + 13]
  local joined, again = {}, nil
  if known ~= '' and provider ~= '' then joined = {'id', provider} end
  if field ~= '' then
    if known ~= '' then
      add(joined, 'h', field)
      -- A receipt that came before this record: what it proved stands, where nothing else did.
      local receipt = redis.call('HMGET', attempt, 'rs', 'rc', 'ra')
      if receipt[1] and (outcome == 's' or outcome == 'x' or outcome == receipt[1]) then
        outcome, again = receipt[1], receipt[3]
        if again then outcome = 'p' end
        if receipt[2] ~= '' then rest = string.gsub(rest, '|[^|]*|([^|]*)$', '|' .. receipt[2] .. '|%1') end
      end
      if outcome ~= 's' and string.find(rest, '^[^|]*|s|') then
        if outcome == 'x' then
          add(after, 0, 'x:' .. known)  -- proof is looked for on
        elseif outcome ~= 'f' or provider ~= '' then
          add(after, 0, 'd:' .. known)  -- it is over: its text is redacted at the provider
        end
      end
    end
    if string.find('hfx', outcome, 1, true) then
      add(dead, ARGV[at + 9], string.match(ARGV[at + 1], '^[^.]+') .. '.' .. field)
    end
    local entry = outcome .. '|' .. rest
    local step = string.match(field, '%d+$')
    count_delivery(clinic, subscription, step, entry, 1)
    if redis.call('HSETNX', history, field, entry) == 0 then  -- tried again: it is what it is now
      count_delivery(clinic, subscription, step, redis.call('HGET', history, field), -1)
      redis.call('HSET', history, field, entry)
    end
  end
  if #joined > 0 then redis.call('HSET', attempt, unpack(joined)) end
  return again
end

local function without(days, day)
  local rest = {}
  for seen in string.gmatch(days or '', '%d+') do
    if seen ~= day then rest[#rest + 1] = seen end
  end
  return table.concat(rest, ',')
end

local function conclude(patient, history, attempt, at)
  local n, member, where, when = ARGV[at], ARGV[at + 1], ARGV[at + 10], ARGV[at + 11]
  local fields = redis.call('HMGET', patient, 'f' .. n, 'u' .. n, 'w' .. n, 'r', 'b' .. n, 'd' .. n,
    's' .. n, 't' .. n)
  local flight, status = fields[1], fields[2]
  if not flight then return 'lost' end
  local token, state, due, known, day =
    string.match(flight, '^(%d+)|(%a)|([^|]*)|?([^|]*)|?([^|]*)')
  if token ~= ARGV[at + 2] or not string.find(ARGV[at + 3], state, 1, true) then return 'lost' end
  local again, wake = record(history, attempt, known, at, fields[7], fields[8]), fields[5]
  local written, removed = {}, {}
  if ARGV[at + 5] == '-' then
    if not again then removed[1] = ARGV[at + 4] end
  elseif ARGV[at + 4] ~= '' then
    add(written, ARGV[at + 4], ARGV[at + 5])
  end
  if again then
    add(written, 'a' .. ARGV[at + 6], again)
    wake = math.min(tonumber(wake or 'inf'), tonumber(string.match(again, '[^|]*$')))
  end
  if (again or ARGV[at + 12] == '1') and day ~= '' then add(written, 'r', without(fields[4], day)) end
  -- Given back without having been looked at ('back'): whether it kills workers is still not known.
  if fields[3] and where ~= 'back' and where ~= 'question' then removed[#removed + 1] = 'w' .. n end
  if where == 'question' then
    add(written, 'f' .. n, table.concat({token, 'q', due, known, day}, '|'))
    add(waiting, when, member)
  elseif where == 'hold' then
    add(written, 'f' .. n, table.concat({token, 'r', due}, '|'))
    add(waiting, when, member)
  else
    removed[#removed + 1] = 'f' .. n
    leaving[#leaving + 1] = member
    -- Something is to be tried again before (receipt.lua could not say so in the index meanwhile).
    if wake and where == 'end' then
      where, when = 'due', wake
    elseif wake then
      when = math.min(tonumber(when), tonumber(wake))
    end
    if fields[5] then removed[#removed + 1] = 'b' .. n end
    if where == 'end' then
      -- What was stopped meanwhile stays so.
      if status == 'a' or status == 'p' then
        add(written, 'u' .. n, 'c')
        count_status(fields[8], fields[7], status, 'c')
      end
    elseif status == 'a' then
      add(coming, when, member)
    elseif status == 'p' and fields[6] then
      add(coming, fields[6], member)  -- paused meanwhile, until then
    end
  end
  if #written > 0 then redis.call('HSET', patient, unpack(written)) end
  if #removed > 0 then redis.call('HDEL', patient, unpack(removed)) end
  return 'ok'
end

local answers = {}
for item = 1, (#KEYS - 5) / 3 do
  local key = item * 3 + 3
  answers[item] = conclude(KEYS[key], KEYS[key + 1], KEYS[key + 2], 1 + (item - 1) * WIDTH)
end
if #waiting > 0 then redis.call('ZADD', KEYS[1], unpack(waiting)) end
if #leaving > 0 then redis.call('ZREM', KEYS[1], unpack(leaving)) end
if #coming > 0 then redis.call('ZADD', KEYS[2], unpack(coming)) end
if #dead > 0 then
  redis.call('ZADD', KEYS[3], unpack(dead))
  -- After 90 days they leave the list; the history keeps them.
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', tonumber(dead[#dead - 1]) - 7776000000)
end
if #after > 0 then redis.call('ZADD', KEYS[4], unpack(after)) end
write_counts(KEYS[5])
return answers
