-- Have a dead letter tried again: only what is proven not to be with the provider.
-- KEYS: patient, history, due, dead letters, audit, counts.
-- ARGV: n, subscription, history field, letters that may be tried again, source, business now ms.
-- Returns 'ok' | 'gone' | 'pending' (it is to be tried again already), or the letter that forbids it,
-- or 'ended' where nothing reaches the patient any more.
--@ shared/counting.lua
local n, field = ARGV[1], ARGV[3]
local entry = redis.call('HGET', KEYS[2], field)
local status = redis.call('HGET', KEYS[1], 'u' .. n)
if not entry or not status then return 'gone' end
local letter = string.sub(entry, 1, 1)
if letter == 'p' then return 'pending' end
if not string.find(ARGV[4], letter, 1, true) then return letter end
if not string.find('apc', status, 1, true) then return 'ended' end
local attempts = string.match(entry, '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|(%d+)')
redis.call('HSET', KEYS[2], field, 'p' .. string.sub(entry, 2))
local record, step = redis.call('HMGET', KEYS[1], 's' .. n, 't' .. n), string.match(field, '%d+$')
count_delivery(record[2], record[1], step, entry, -1)
count_delivery(record[2], record[1], step, 'p' .. string.sub(entry, 2), 1)
redis.call('HSET', KEYS[1], 'a' .. field, table.concat({letter, attempts, '0', ARGV[6]}, '|'))
if status == 'c' then
  redis.call('HSET', KEYS[1], 'u' .. n, 'a')
  count_status(record[2], record[1], 'c', 'a')
end
if redis.call('HEXISTS', KEYS[1], 'f' .. n) == 1 then
  redis.call('HSET', KEYS[1], 'b' .. n, ARGV[6])
elseif status ~= 'p' then
  redis.call('ZADD', KEYS[3], 'LT', ARGV[6], ARGV[2])
end
redis.call('ZREM', KEYS[4], string.match(ARGV[2], '^[^.]+') .. '.' .. field)
redis.call('XADD', KEYS[5], '*', 'what', 'retried', 'on', ARGV[2], 'step', field, 'by', ARGV[5], 'at', ARGV[6])
write_counts(KEYS[6])
return 'ok'
