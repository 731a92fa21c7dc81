-- What waits for staff in a partition, the most pressing kind first and in it the oldest, a page of it.
-- KEYS: open tasks.
-- ARGV: task key prefix, kinds that are asked for (in their order, commas between them), clinics (the
--       same; '' for all), most rows, 1 for a row an address instead of one a task, and behind which
--       row: its place in the order of kinds, time and name ('' for the first page).
-- Nothing encrypted is read.
-- Returns {tasks and of these taken, for each kind, then rows
--   'place|opened|name|state|address|clinic|alerts|tasks of the address|patients|who has it'}.
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
local function before(a, b)
  if a.place ~= b.place then return a.place < b.place end
  if a.at ~= b.at then return a.at < b.at end
  return a.name < b.name
end
local found, first = {}, {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local r = redis.call('HMGET', ARGV[1] .. name, 'k', 'g', 'at', 's', 'a', 'n', 'p', 'by')
  local at = r[1] and place[r[1]]
  if at and (not clinics or clinics[r[2]]) then
    counts[2 * at + 1] = counts[2 * at + 1] + 1
    if r[4] == 't' then counts[2 * at + 2] = counts[2 * at + 2] + 1 end
    local row = {place = at, at = tonumber(r[3]), name = name, r = r, tasks = 1}
    local other = ARGV[5] == '1' and first[r[5]]
    if other then
      row.tasks = other.tasks + 1
      if before(row, other) then
        found[other.i], row.i, first[r[5]] = row, other.i, row
      else
        other.tasks = row.tasks
      end
    else
      found[#found + 1] = row
      row.i, first[r[5]] = #found, row
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
    local r = row.r
    answer[#answer + 1] = table.concat({row.place, r[3], row.name, r[4], r[5], r[2], r[6], row.tasks,
      r[7], r[8] or ''}, '|')
  end
end
return answer
