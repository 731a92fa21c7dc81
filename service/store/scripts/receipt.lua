-- Apply a provider's receipt: it only moves a delivery forward, and what is terminal stays.
-- KEYS: attempt, due, dead letters, afterwards, counts.
-- ARGV: state, rank, provider id, code, letters of the states that it moves (delivery.movable),
--       patient key prefix, history key prefix, what is to be tried again ('' = nothing), business ms,
--       1 where the provider id is this attempt's for certain (0: found by its text).
-- Returns {'gone'} | {'kept'} | {'moved'}.
--@ shared/counting.lua
local name = string.match(KEYS[1], ':([^:]*)$')
local record = redis.call('HMGET', KEYS[1], 'p', 'rs', 'rk', 'h', 'id', 'n', 'ch', 'dy', 'ig')
if not record[1] then return {'gone'} end
local state, rank, id, code, again = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[8]
local guessed = record[9] and ARGV[10] == '1'
if record[5] and id ~= '' and id ~= record[5] and not guessed then return {'gone'} end
local patient, field, n = ARGV[6] .. record[1], record[4], record[6]
local history, entry = ARGV[7] .. record[1], nil
if field then entry = redis.call('HGET', history, field) end
local was = entry and string.sub(entry, 1, 1)
-- Delivered after all, though a receipt had said that it failed: it is not tried again.
local taken_back = state == 'd' and record[2] == 'u' and was == 'p'
if record[3] and tonumber(record[3]) >= rank and not taken_back then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], 'rk', record[3])
  return {'kept'}
end
local written = {'rs', state, 'rk', ARGV[2], 'rc', code}
if id ~= '' then written[7], written[8] = 'id', id end
redis.call('HSET', KEYS[1], unpack(written))
if ARGV[10] == '0' then
  redis.call('HSET', KEYS[1], 'ig', 1)
elseif guessed then
  redis.call('HDEL', KEYS[1], 'ig')
end
local over = string.find('duf', state, 1, true)
if again ~= '' and not entry then redis.call('HSET', KEYS[1], 'ra', again) end
if not entry then return {'moved'} end
-- Texts that are over are redacted at the provider.
if over and record[7] == 'sms' then redis.call('ZADD', KEYS[4], 'NX', 0, 'd:' .. name) end
if not string.find(ARGV[5], was, 1, true) then return {'moved'} end

local member, letter = record[1] .. '.' .. n, state
local known = redis.call('HMGET', patient, 'u' .. n, 's' .. n, 't' .. n)
local status, subscription, clinic = known[1], known[2], known[3]
if again ~= '' and was == 's' and status and string.find('apc', status, 1, true) then
  local wake = string.match(again, '[^|]*$')
  letter = 'p'
  redis.call('HSET', patient, 'a' .. field, again)
  if status == 'c' then
    redis.call('HSET', patient, 'u' .. n, 'a')
    count_status(clinic, subscription, 'c', 'a')
  end
  if redis.call('HEXISTS', patient, 'f' .. n) == 1 then
    local known = redis.call('HGET', patient, 'b' .. n)
    if not known or tonumber(wake) < tonumber(known) then redis.call('HSET', patient, 'b' .. n, wake) end
  elseif status ~= 'p' then
    redis.call('ZADD', KEYS[2], 'LT', wake, member)
  end
  if record[8] then  -- nothing reached the patient that day
    local rest = {}
    for seen in string.gmatch(redis.call('HGET', patient, 'r') or '', '%d+') do
      if seen ~= record[8] then rest[#rest + 1] = seen end
    end
    redis.call('HSET', patient, 'r', table.concat(rest, ','))
  end
elseif was == 'p' then
  redis.call('HDEL', patient, 'a' .. field)
end
local rest = string.match(entry, '^[^|]*(|.*)$')
if code ~= '' then rest = string.gsub(rest, '|[^|]*|([^|]*)$', '|' .. code .. '|%1') end
redis.call('HSET', history, field, letter .. rest)
local step = string.match(field, '%d+$')
count_delivery(clinic, subscription, step, entry, -1)
count_delivery(clinic, subscription, step, letter .. rest, 1)
write_counts(KEYS[5])
local delivery = record[1] .. '.' .. field
if letter == 'x' then
  redis.call('ZADD', KEYS[3], ARGV[9], delivery)
else
  redis.call('ZREM', KEYS[3], delivery)
end
if was == 'x' then redis.call('ZREM', KEYS[4], 'x:' .. name) end
return {'moved'}
