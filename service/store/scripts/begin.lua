-- Write the Attempt before the provider is called, unless the send is no longer allowed.
-- KEYS: patient, held, attempt.
-- ARGV: n, subscription, token, suppression field, lease end (machine ms), attempt id,
--       attempt time-to-live ms, local day for the cap ('' = not counted), drips a week, attempt fields...
-- Returns 'ok', 'lost', 'stopped', 'suppressed', 'capped_day' or 'capped_week'.
local n = ARGV[1]
local flight = redis.call('HGET', KEYS[1], 'f' .. n)
if not flight then return 'lost' end
local token, state, due, attempt = string.match(flight, '^(%d+)|(%a)|([^|]*)|?([^|]*)')
if token ~= ARGV[3] then return 'lost' end
-- The same call again, its first answer lost on the way: it has begun. Written once more, since
-- WAITAOF confirms at once on a connection that wrote nothing.
if state == 'b' and attempt == ARGV[6] then
  redis.call('HSET', KEYS[1], 'f' .. n, flight)
  return 'ok'
end
if state ~= 'c' then return 'lost' end
if redis.call('HGET', KEYS[1], 'u' .. n) ~= 'a' then return 'stopped' end
local copy = redis.call('HGET', KEYS[1], ARGV[4])
if copy and string.match(copy, '^%d+|1') then return 'suppressed' end
if ARGV[8] ~= '' then
  local day, week, recent = tonumber(ARGV[8]), 0, {}
  for seen in string.gmatch(redis.call('HGET', KEYS[1], 'r') or '', '%d+') do
    local number = tonumber(seen)
    if number == day then return 'capped_day' end
    if number > day - 7 then
      week = week + 1
      recent[#recent + 1] = seen
    end
  end
  if week >= tonumber(ARGV[9]) then return 'capped_week' end
  recent[#recent + 1] = ARGV[8]
  redis.call('HSET', KEYS[1], 'r', table.concat(recent, ','))
end
redis.call('HSET', KEYS[1], 'f' .. n, table.concat({token, 'b', due, ARGV[6], ARGV[8]}, '|'))
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2])
local fields = {}
for i = 10, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[3], unpack(fields))
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return 'ok'
