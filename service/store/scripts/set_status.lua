-- Pause, resume or stop one subscription.
-- KEYS: patient, due, audit, history, counts.
-- ARGV: n, subscription, statuses it may come from, new status, due ms (for active), source, reason, at ms,
--       of a pause: when it ends by itself, business ms ('' = when somebody resumes it),
--       of a stop: 1 where it is one of staff's own, which restart.lua may undo ('' = nobody may).
-- A pause that ends by itself waits in the due index, and claim.lua ends it; in flight it goes there
-- when the flight is over.
-- What is stopped here was left by itself, and no lifted suppression revives it.
-- Returns {'ok'} | {'refused', status} | {'gone'}.
--@ shared/counting.lua
local n = ARGV[1]
local field, wake, left = 'u' .. n, 'd' .. n, 'l' .. n
local status = redis.call('HGET', KEYS[1], field)
if not status then return {'gone'} end
if not string.find(ARGV[3], status, 1, true) then return {'refused', status} end
local before = redis.call('HMGET', KEYS[1], wake, left)
redis.call('HSET', KEYS[1], field, ARGV[4])
redis.call('HDEL', KEYS[1], wake, left)
redis.call('ZREM', KEYS[2], ARGV[2])
local due = nil
if ARGV[4] == 'a' then
  due = ARGV[5]
elseif ARGV[4] == 'p' and ARGV[9] ~= '' then
  due = ARGV[9]
  redis.call('HSET', KEYS[1], wake, due)
elseif ARGV[4] == 'o' then
  local note = ARGV[8]
  if ARGV[10] == '1' and status ~= 'o' then
    note = table.concat({ARGV[8], status, before[1] or ''}, '|')  -- what to go back to
  elseif ARGV[10] == '1' then
    note = before[2] or note  -- stopped before: by whom that was does not change
  end
  redis.call('HSET', KEYS[1], left, note)
end
if due and redis.call('HEXISTS', KEYS[1], 'f' .. n) == 0 then redis.call('ZADD', KEYS[2], due, ARGV[2]) end
redis.call('XADD', KEYS[3], '*', 'what', 'status_' .. ARGV[4], 'on', ARGV[2], 'by', ARGV[6],
  'reason', ARGV[7], 'at', ARGV[8], 'until', ARGV[9])
local record = redis.call('HMGET', KEYS[1], 's' .. n, 't' .. n)
local erased = ARGV[7] == 'erased'
count_status(record[2], record[1], status, erased and 'z' or ARGV[4])
if ARGV[4] == 'o' and status ~= 'o' and not erased then
  local by_patient = not (string.find(ARGV[6], '^staff') or string.find(ARGV[6], '^cli'))
  count_event(record[2], record[1], by_patient and 'o' or 's', ARGV[8], last_step(KEYS[1], KEYS[4], n))
end
write_counts(KEYS[5])
return {'ok'}
