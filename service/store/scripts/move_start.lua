-- Have a subscription begin on another day: what is left of its series is planned from that one.
-- KEYS: patient, due, held, audit, counts.
-- ARGV: n, subscription, its text as it was read, its text as it is to be, business now ms, source, the day.
-- The cursor stays where it is, so that nothing is sent twice. What is due later is due at once: the
-- policy puts it off to its new time. What a worker has claimed and not begun was planned by the old day:
-- its claim is void.
-- Returns 'ok' | 'gone' | 'changed' | 'over' (it has ended, or gone on as another subscription).
--@ shared/counting.lua
--@ shared/claims.lua
local n, member, now = ARGV[1], ARGV[2], tonumber(ARGV[5])
local record = redis.call('HMGET', KEYS[1], 's' .. n, 'u' .. n, 'm' .. n, 't' .. n)
if not record[1] then return 'gone' end
if record[1] ~= ARGV[3] then return 'changed' end
if record[3] or not string.find('apn', record[2], 1, true) then return 'over' end
redis.call('HSET', KEYS[1], 's' .. n, ARGV[4])
count_status(record[4], ARGV[3], record[2], nil)
count_status(record[4], ARGV[4], nil, record[2])
local wake = redis.call('HGET', KEYS[1], 'd' .. n)
if void_claim(KEYS[1], KEYS[3], n, member) then
  if record[2] == 'a' then redis.call('HSET', KEYS[1], 'b' .. n, now) end
elseif record[2] == 'a' then
  redis.call('ZADD', KEYS[2], now, member)
elseif record[2] == 'p' and wake then
  redis.call('ZADD', KEYS[2], wake, member)
end
redis.call('XADD', KEYS[4], '*', 'what', 'moved', 'on', member, 'by', ARGV[6],
  'reason', ARGV[7], 'at', ARGV[5])
write_counts(KEYS[5])
return 'ok'
