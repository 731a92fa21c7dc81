-- Undo a stop that staff made by mistake: the subscription goes on where it was, paused if it was paused.
-- KEYS: patient, due, audit, counts.
-- ARGV: n, subscription, source, business now ms, how long ago it may have been stopped (ms).
-- Only what 'l' holds a way back for (set_status.lua): not what the patient has left, and not where an
-- address of theirs was stopped since (copy_suppression.lua takes the way back away). The cursor stays
-- where it is, so that nothing is sent twice; what was missed is for the policy, as after a pause.
-- Returns 'ok' | 'gone' | 'going' (it is not stopped) | 'final' (the patient stopped it, or an address
-- since) | 'late' | 'again' (enrolled anew) | 'silent' (nothing reaches the patient).
--@ shared/counting.lua
local n, now = ARGV[1], ARGV[4]
local record = redis.call('HMGET', KEYS[1], 'c', 's' .. n, 'u' .. n, 'l' .. n, 't' .. n, 'h')
if not record[1] or not record[2] then return 'gone' end
if record[3] ~= 'o' then return 'going' end
local stopped, status, wake = string.match(record[4] or '', '^(%d+)|(%a)|(%d*)$')
if not stopped then return 'final' end
if tonumber(now) - tonumber(stopped) > tonumber(ARGV[5]) then return 'late' end
local series = string.match(record[2], '^[^|]*')
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local number = string.match(field, '^s(%d+)$')
  if number and number ~= n then
    local other = redis.call('HMGET', KEYS[1], field, 'u' .. number)
    local same = string.match(other[1], '^[^|]*') == series
    if same and (tonumber(number) > tonumber(n) or other[2] == 'a' or other[2] == 'p') then return 'again' end
  end
end
local reached = false
for channel in string.gmatch(record[6] or '', '%a') do
  local copy = redis.call('HGET', KEYS[1], 'x' .. channel)
  if not (copy and string.match(copy, '^%d+|1')) then reached = true end
end
if not reached then return 'silent' end
redis.call('HSET', KEYS[1], 'u' .. n, status)
redis.call('HDEL', KEYS[1], 'l' .. n)
local due = status == 'a' and now or nil
if status == 'p' and wake ~= '' then
  due = wake
  redis.call('HSET', KEYS[1], 'd' .. n, wake)
end
-- In flight it comes to the index when the flight is over.
if due and redis.call('HEXISTS', KEYS[1], 'f' .. n) == 0 then redis.call('ZADD', KEYS[2], due, ARGV[2]) end
redis.call('XADD', KEYS[3], '*', 'what', 'restarted', 'on', ARGV[2], 'by', ARGV[3], 'at', now)
count_status(record[5], record[2], 'o', status)
count_event(record[5], record[2], 'b', now)
write_counts(KEYS[4])
return 'ok'
