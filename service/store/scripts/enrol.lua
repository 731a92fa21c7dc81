-- Create a patient, or add a subscription to one; all of it or nothing.
-- KEYS: patient, due, consents, audit, counts.
-- ARGV: patient id, must be new (1/0), contact blob, channels, subscription text, due ms, series,
--       source, at ms, consent evidence blob ('' = none), number of the clinic, then suppression
--       copies (field, value)...
-- Returns {'ok', n, status} | {'exists'} | {'gone'} | {'enrolled', n}.
--@ shared/counting.lua
local known = redis.call('HGET', KEYS[1], 'c')
-- The id of somebody who was erased is not given to anybody again.
if ARGV[2] == '1' and (known or redis.call('HEXISTS', KEYS[1], 'z') == 1) then return {'exists'} end
if ARGV[2] == '0' and not known then return {'gone'} end
local n = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local number = tonumber(string.match(field, '^s(%d+)$'))
  if number then
    if number > n then n = number end
    local series = string.match(redis.call('HGET', KEYS[1], field), '^([^|]*)|')
    local status = redis.call('HGET', KEYS[1], 'u' .. number)
    if series == ARGV[7] and (status == 'a' or status == 'p') then return {'enrolled', number} end
  end
end
n = n + 1
redis.call('HSET', KEYS[1], 'c', ARGV[3], 'h', ARGV[4], 's' .. n, ARGV[5], 't' .. n, ARGV[11])
if ARGV[10] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[10]) end
for i = 12, #ARGV, 2 do
  local copy = redis.call('HGET', KEYS[1], ARGV[i])
  if not copy or tonumber(string.match(copy, '^%d+')) < tonumber(string.match(ARGV[i + 1], '^%d+')) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
local status = 'o'
for channel in string.gmatch(ARGV[4], '%a') do
  local copy = redis.call('HGET', KEYS[1], 'x' .. channel)
  if not (copy and string.match(copy, '^%d+|1')) then status = 'a' end
end
redis.call('HSET', KEYS[1], 'u' .. n, status)
if status == 'a' then redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1] .. '.' .. n) end
redis.call('XADD', KEYS[4], '*', 'what', 'enrolled', 'on', ARGV[1] .. '.' .. n, 'by', ARGV[8], 'at', ARGV[9])
count_event(ARGV[11], ARGV[5], 'n', ARGV[9])
count_status(ARGV[11], ARGV[5], nil, status)
write_counts(KEYS[5])
return {'ok', n, status}
