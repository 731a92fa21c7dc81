-- Count what is on record of a patient who was enrolled before counting began; once.
-- KEYS: patient, history, counts.  ARGV: number of the clinic.
-- When somebody had left is not on record, and so is not counted.
-- Returns how many subscriptions were not counted before.
--@ shared/counting.lua
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 0 end
local found, texts = 0, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local n = string.match(field, '^s(%d+)$')
  if n and redis.call('HEXISTS', KEYS[1], 't' .. n) == 0 then
    local record = redis.call('HMGET', KEYS[1], field, 'u' .. n, 'm' .. n)
    redis.call('HSET', KEYS[1], 't' .. n, ARGV[1] .. (record[3] and '+' or ''))
    count_status(ARGV[1], record[1], nil, record[3] and 'm' or record[2])
    found, texts[n] = found + 1, record[1]
  end
end
if found == 0 then return 0 end
local entries = redis.call('HGETALL', KEYS[2])
for i = 1, #entries, 2 do
  local n, step = string.match(entries[i], '^(%d+)%.(%d+)$')
  if texts[n] then count_delivery(ARGV[1], texts[n], step, entries[i + 1], 1) end
end
write_counts(KEYS[3])
return found
