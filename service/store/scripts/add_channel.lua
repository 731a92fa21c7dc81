-- Add evidence of consent to a patient, and the channel that it is for where that is new.
-- KEYS: patient, due, consents, audit, counts.
-- ARGV: patient id, contact blob as it was read, contact blob, channels, consent evidence blob,
--       copy field, suppression copy, source, business now ms.
-- A subscription that had ended since no channel reached the patient goes on where one does now.
-- Returns 'ok' | 'gone' | 'changed' (the contact, by somebody else: read it again).
--@ shared/counting.lua
local known = redis.call('HGET', KEYS[1], 'c')
if not known then return 'gone' end
if known ~= ARGV[2] then return 'changed' end
redis.call('HSET', KEYS[1], 'c', ARGV[3], 'h', ARGV[4])
redis.call('RPUSH', KEYS[3], ARGV[5])
local copy = redis.call('HGET', KEYS[1], ARGV[6])
if not copy or tonumber(string.match(copy, '^%d+')) < tonumber(string.match(ARGV[7], '^%d+')) then
  copy = ARGV[7]
  if string.match(copy, '^0|') then
    redis.call('HDEL', KEYS[1], ARGV[6])
  else
    redis.call('HSET', KEYS[1], ARGV[6], copy)
  end
end
if not string.match(copy, '^%d+|1') then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local n = string.match(field, '^u(%d+)$')
    if n and redis.call('HGET', KEYS[1], field) == 'o'
      and redis.call('HEXISTS', KEYS[1], 'l' .. n) == 0 then  -- not one that was left by itself
      redis.call('HSET', KEYS[1], field, 'a')
      local record = redis.call('HMGET', KEYS[1], 's' .. n, 't' .. n)
      count_status(record[2], record[1], 'o', 'a')
      count_event(record[2], record[1], 'b', ARGV[9], '', string.sub(ARGV[6], 2))
      if redis.call('HEXISTS', KEYS[1], 'f' .. n) == 0 then
        redis.call('ZADD', KEYS[2], ARGV[9], ARGV[1] .. '.' .. n)
      end
    end
  end
end
redis.call('XADD', KEYS[4], '*', 'what', 'consented', 'on', ARGV[1], 'by', ARGV[8], 'at', ARGV[9])
write_counts(KEYS[5])
return 'ok'
