-- Count one message outside of a series as the day's, where the patient may get it.
-- KEYS: patient, audit.
-- ARGV: patient id, suppression field, local day, drips a week, source, business now ms, message.
-- Asked again for the same day it is refused: whoever is cut off after this sends none that day, rather than
-- two.  Returns 'ok' | 'gone' | 'suppressed' | 'capped_day' | 'capped_week'.
local record = redis.call('HMGET', KEYS[1], 'c', ARGV[2], 'r')
if not record[1] then return 'gone' end
if record[2] and string.match(record[2], '^%d+|1') then return 'suppressed' end
local day, week, recent = tonumber(ARGV[3]), 0, {}
for seen in string.gmatch(record[3] or '', '%d+') do
  local number = tonumber(seen)
  if number >= day then return 'capped_day' end
  if number > day - 7 then
    week = week + 1
    recent[#recent + 1] = seen
  end
end
if week >= tonumber(ARGV[4]) then return 'capped_week' end
recent[#recent + 1] = ARGV[3]
redis.call('HSET', KEYS[1], 'r', table.concat(recent, ','))
redis.call('XADD', KEYS[2], '*', 'what', 'sent_now', 'on', ARGV[1], 'by', ARGV[5],
  'reason', ARGV[7], 'at', ARGV[6])
return 'ok'
