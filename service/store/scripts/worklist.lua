-- What waits for staff in a partition, the most pressing kind first and in it the oldest, a page of it.
-- KEYS: open tasks, rows.
-- ARGV: task key prefix, kinds that are asked for (in their order, commas between them), clinics (the
--       same; '' for all), most rows, 1 for a row an address instead of one a task, and behind which
--       row: its place in the order of kinds, time and name ('' for the first page).
-- A row is 'kind|state|opened|address|clinic|patients|who has it'; nothing encrypted is read.
-- Returns {tasks and of these taken, for each kind, then 'place|opened|name|tasks of the address|row'}.
local place, counts = {}, {}
for kind in string.gmatch(ARGV[2], '[^,]+') do
  place[kind] = #counts / 2
  counts[#counts + 1], counts[#counts + 2] = 0, 0
end
local clinics
for clinic in string.gmatch(ARGV[3], '[^,]+') do
  clinics = clinics or {}
  clinics[clinic] = true
end
if redis.call('HLEN', KEYS[2]) < redis.call('ZCARD', KEYS[1]) then  -- rows that were never written
  for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local r = redis.call('HMGET', ARGV[1] .. name, 'k', 's', 'at', 'a', 'g', 'p', 'by')
    if r[1] then
      redis.call('HSET', KEYS[2], name, table.concat({r[1], r[2], r[3], r[4], r[5], r[6], r[7] or ''}, '|'))
    end
  end
end
local by_address, all = ARGV[5] == '1', redis.call('HGETALL', KEYS[2])
local order, at_of, address_of, tasks_of = {}, {}, {}, {}
for i = 1, #all, 2 do
  local kind, state, at, address, clinic = string.match(all[i + 1], '^(%a[^|]*)|(%a)|(%d+)|([^|]*)|([^|]*)')
  local of = place[kind]
  if of and (not clinics or clinics[clinic]) then
    counts[2 * of + 1] = counts[2 * of + 1] + 1
    if state == 't' then counts[2 * of + 2] = counts[2 * of + 2] + 1 end
    local key = of .. '|' .. at .. '|' .. all[i]  -- times are of one length until the year 2286
    order[#order + 1], at_of[key] = key, i + 1
    if by_address then
      address_of[key], tasks_of[address] = address, (tasks_of[address] or 0) + 1
    end
  end
end
table.sort(order)
local after = ARGV[6] ~= '' and table.concat({ARGV[6], ARGV[7], ARGV[8]}, '|') or ''
local answer, seen = counts, {}
local most = #counts + tonumber(ARGV[4])
for _, key in ipairs(order) do
  if #answer >= most then break end
  local address, tasks = address_of[key], 1
  if address then
    tasks = seen[address] and 0 or tasks_of[address]
    seen[address] = true
  end
  if tasks > 0 and key > after then
    answer[#answer + 1] = table.concat({key, tasks, all[at_of[key]]}, '|')
  end
end
return answer
