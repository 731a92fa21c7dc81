-- Erase a patient for good; all of it or nothing.
-- KEYS: patient, due, held, history, consents, dead letters, audit, ratings, counts.
-- ARGV: patient id, source, business now ms, evidence that is to be kept of consents ('' = none).
-- What is left says that there was somebody: the id is not given to anybody again.
-- What was counted stays: numbers, of nobody.
-- What is in flight finds no record any more, and nothing is begun.
-- Returns 'ok' | 'gone'.
--@ shared/counting.lua
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 'gone' end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local n = string.match(field, '^u(%d+)$')
  if n then
    local record = redis.call('HMGET', KEYS[1], 'u' .. n, 's' .. n, 't' .. n)
    if record[1] == 'a' or record[1] == 'p' then count_status(record[3], record[2], record[1], 'z') end
    redis.call('ZREM', KEYS[2], ARGV[1] .. '.' .. n)
    redis.call('ZREM', KEYS[3], ARGV[1] .. '.' .. n)
  end
end
for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
  redis.call('ZREM', KEYS[6], ARGV[1] .. '.' .. field)
end
redis.call('DEL', KEYS[1], KEYS[4], KEYS[5], KEYS[8])
redis.call('HSET', KEYS[1], 'z', ARGV[3])
if ARGV[4] ~= '' then redis.call('RPUSH', KEYS[5], ARGV[4]) end
redis.call('XADD', KEYS[7], '*', 'what', 'erased', 'on', ARGV[1], 'by', ARGV[2], 'at', ARGV[3])
write_counts(KEYS[9])
return 'ok'
