-- Move a patient who is under way on to another version of a series: as a subscription of its own.
-- KEYS: patient, due, audit, counts.
-- ARGV: patient id, n, the subscription as it was read, its cursor as it was read ('' = none), contact as it
--       was read, the new subscription, its cursor, its steps that are over ('' = none), its due time,
--       cursor at the old one's end, id of the migration, source, reason, business now ms.
-- The old one is complete and keeps its history, attempts, and what is tried again of it.
-- What is in flight is not moved, and of a paused one nothing that is to be tried again.
-- Returns {'ok', m} | {'moved', m, migration} (it was before) | {'busy'} | {'changed'} | {'gone'}.
--@ shared/counting.lua
local n = ARGV[2]
local record = redis.call('HMGET', KEYS[1], 's' .. n, 'k' .. n, 'c', 'u' .. n, 'f' .. n, 'm' .. n, 'l' .. n,
  't' .. n)
if not record[3] or not record[1] then return {'gone'} end
if record[6] then
  local m, migration = string.match(record[6], '^(%d+)|(.*)$')
  return {'moved', tonumber(m), migration}
end
if record[5] then return {'busy'} end
local status = record[4] or 'n'
if record[1] ~= ARGV[3] or (record[2] or '') ~= ARGV[4] or record[3] ~= ARGV[5]
  or record[7] or not string.find('napox', status, 1, true) then return {'changed'} end
local m, again = 0, false
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  m = math.max(m, tonumber(string.match(field, '^s(%d+)$') or '0'))
  if string.find(field, '^a' .. n .. '%.') then again = true end
end
if again and status ~= 'a' then return {'busy'} end
m = m + 1
local written = {'s' .. m, ARGV[6], 'u' .. m, status, 'k' .. m, ARGV[7]}
if ARGV[8] ~= '' then
  written[#written + 1] = 'g' .. m
  written[#written + 1] = ARGV[8]
end
-- When its pause ends, or would if an opt-out were lifted, goes with it.
local due, removed = status == 'a' and ARGV[9] or nil, {'w' .. n, 'g' .. n}
for _, letter in ipairs({'d', 'y'}) do
  local value = redis.call('HGET', KEYS[1], letter .. n)
  if value then
    written[#written + 1] = letter .. m
    written[#written + 1] = value
    removed[#removed + 1] = letter .. n
    if letter == 'd' and status == 'p' then due = value end
  end
end
written[#written + 1] = 'm' .. n
written[#written + 1] = m .. '|' .. ARGV[11]
written[#written + 1] = 'k' .. n
written[#written + 1] = ARGV[10]
-- While something is tried again it stays active; then conclude.lua completes it.
if not again then
  written[#written + 1] = 'u' .. n
  written[#written + 1] = 'c'
  redis.call('ZREM', KEYS[2], ARGV[1] .. '.' .. n)
end
if record[8] then
  count_status(record[8], record[1], status, 'm')
  count_status(record[8], ARGV[6], nil, status)
  for _, value in ipairs({'t' .. m, record[8], 't' .. n, record[8] .. '+'}) do
    written[#written + 1] = value
  end
end
redis.call('HSET', KEYS[1], unpack(written))
redis.call('HDEL', KEYS[1], unpack(removed))
if due then redis.call('ZADD', KEYS[2], due, ARGV[1] .. '.' .. m) end
redis.call('XADD', KEYS[3], '*', 'what', 'moved_on', 'on', ARGV[1] .. '.' .. m, 'by', ARGV[12],
  'reason', ARGV[13], 'at', ARGV[14])
write_counts(KEYS[4])
return {'ok', m}
