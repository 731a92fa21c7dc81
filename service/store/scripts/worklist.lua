-- What waits for staff in a partition, the most pressing kind first and in it the oldest, a page of it.
-- KEYS: open tasks, rows.
-- ARGV: task key prefix, kinds that are asked for (in their order, commas between them), clinics (the
--       same; '' for all), most rows, 1 for a row an address instead of one a task, and behind which
--       row: its place in the order of kinds, time and name ('' for the first page).
-- A row is 'kind|state|opened|address|clinic|patients|who has it'; nothing encrypted is read.
-- Returns {tasks and of these taken, for each kind, then 'place|name|tasks of the address|row'}.
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
local function before(a, b)
  if a.place ~= b.place then return a.place < b.place end
  if a.at ~= b.at then return a.at < b.at end
  return a.name < b.name
end
local all = redis.call('HGETALL', KEYS[2])
local found, first = {}, {}
for i = 1, #all, 2 do
  local kind, state, at, address, clinic =
    string.match(all[i + 1], '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|')
  local of = place[kind]
  if of and (not clinics or clinics[clinic]) then
    counts[2 * of + 1] = counts[2 * of + 1] + 1
    if state == 't' then counts[2 * of + 2] = counts[2 * of + 2] + 1 end
    local row = {place = of, at = tonumber(at), name = all[i], told = all[i + 1], tasks = 1}
    local other = ARGV[5] == '1' and first[address]
    if other then
      row.tasks = other.tasks + 1
      if before(row, other) then
        found[other.i], row.i, first[address] = row, other.i, row
      else
        other.tasks = row.tasks
      end
    else
      found[#found + 1] = row
      row.i, first[address] = #found, row
    end
  end
end
table.sort(found, before)
local after
if ARGV[6] ~= '' then after = {place = tonumber(ARGV[6]), at = tonumber(ARGV[7]), name = ARGV[8]} end
local answer = counts
local most = #counts + tonumber(ARGV[4])
for _, row in ipairs(found) do
  if #answer >= most then break end
  if not after or before(after, row) then
    answer[#answer + 1] = table.concat({row.place, row.name, row.tasks, row.told}, '|')
  end
end
return answer
