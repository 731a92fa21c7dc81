-- Put another address in place of a patient's, with the evidence of consent to it.
-- KEYS: patient, due, held, consents, audit, counts.
-- ARGV: patient id, contact as it was read, contact as it is to be, channels, channel's letter, digest of
--       the new address, its suppression copy, consent evidence blob, source, business now ms, machine now
--       ms, what changes (a word).
-- What a worker has claimed and not begun it has with the old address: its claim is void. What is begun
-- may reach the old one; a receipt that comes for it says nothing of the new one.
-- What had ended since nothing reached the patient goes on where something does now, and the other way
-- round.  Returns 'ok' | 'gone' | 'changed' (somebody was first: read it again).
--@ shared/counting.lua
--@ shared/claims.lua
local known, letter, now = redis.call('HGET', KEYS[1], 'c'), ARGV[5], tonumber(ARGV[10])
if not known then return 'gone' end
if known ~= ARGV[2] then return 'changed' end
local copy = ARGV[7]
local coming = redis.call('HGET', KEYS[1], 'm' .. letter)
if not coming or string.match(coming, '^[^|]*') ~= ARGV[6] then return 'changed' end
-- An opt-out that came since the patient was entered under the new address.
local latest = string.match(coming, '^[^|]*|(.*)$')
if tonumber(string.match(latest, '^%d+')) > tonumber(string.match(copy, '^%d+')) then copy = latest end
redis.call('HSET', KEYS[1], 'c', ARGV[3], 'h', ARGV[4], 'n' .. letter, ARGV[6] .. '|' .. ARGV[11])
redis.call('HDEL', KEYS[1], 'm' .. letter)
if string.match(copy, '^0|') then
  redis.call('HDEL', KEYS[1], 'x' .. letter)
else
  redis.call('HSET', KEYS[1], 'x' .. letter, copy)
end
redis.call('HINCRBY', KEYS[1], 'e', 1)
redis.call('RPUSH', KEYS[4], ARGV[8])
local reached = false
for channel in string.gmatch(ARGV[4], '%a') do
  local one = redis.call('HGET', KEYS[1], 'x' .. channel)
  if not (one and string.match(one, '^%d+|1')) then reached = true end
end

-- The status that a subscription has from now on, and when it is due ('' = it is not).
local function standing(n, status)
  if not reached and (status == 'a' or status == 'p') then
    if status == 'p' then
      redis.call('HSET', KEYS[1], 'y' .. n, redis.call('HGET', KEYS[1], 'd' .. n) or '')
    end
    redis.call('HDEL', KEYS[1], 'd' .. n)
    return 'o', ''
  end
  -- Not one that was left by itself.
  if reached and (status == 'o' or status == 'x') and redis.call('HEXISTS', KEYS[1], 'l' .. n) == 0 then
    local wake = redis.call('HGET', KEYS[1], 'y' .. n)
    redis.call('HDEL', KEYS[1], 'y' .. n)
    if not wake then return 'a', now end
    if wake ~= '' then redis.call('HSET', KEYS[1], 'd' .. n, wake) end
    return 'p', wake
  end
  if status == 'a' then return status, now end
  return status, status == 'p' and redis.call('HGET', KEYS[1], 'd' .. n) or ''
end

for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local n = string.match(field, '^u(%d+)$')
  if n then
    local member = ARGV[1] .. '.' .. n
    local was = redis.call('HGET', KEYS[1], field)
    local status, due = standing(n, was)
    redis.call('HSET', KEYS[1], field, status)
    local record = redis.call('HMGET', KEYS[1], 's' .. n, 't' .. n)
    count_status(record[2], record[1], was, status)
    if string.find('ox', was, 1, true) and status ~= was then
      count_event(record[2], record[1], 'b', now, '', letter)
    end
    if void_claim(KEYS[1], KEYS[3], n, member) then
      if status == 'a' then redis.call('HSET', KEYS[1], 'b' .. n, now) end
    elseif due == '' then
      redis.call('ZREM', KEYS[2], member)
    else
      redis.call('ZADD', KEYS[2], due, member)
    end
  end
end
redis.call('XADD', KEYS[5], '*', 'what', 'amended', 'on', ARGV[1], 'by', ARGV[9],
  'reason', ARGV[12], 'at', ARGV[10])
write_counts(KEYS[6])
return 'ok'
