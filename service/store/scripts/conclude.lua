-- End a flight: record what became of it and say where the subscription goes next.
-- KEYS: patient, held, due, history, attempt ('-' key of the slot where there is none).
-- ARGV: n, subscription, token, states it may be in ('c' or 'bq'),
--       cursor ('' = unchanged), history field ('' = none), delivery state, history rest,
--       where ('due' | 'back' | 'hold' | 'question' | 'end'), when ms,
--       give back the day's cap (1/0), provider id ('' = none).
-- Returns 'ok', or 'lost' where the token no longer holds: the caller's record is then refused.
local n, member = ARGV[1], ARGV[2]
local flight = redis.call('HGET', KEYS[1], 'f' .. n)
if not flight then return 'lost' end
local token, state, due, attempt, day = string.match(flight, '^(%d+)|(%a)|([^|]*)|?([^|]*)|?([^|]*)')
if token ~= ARGV[3] or not string.find(ARGV[4], state, 1, true) then return 'lost' end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'k' .. n, ARGV[5]) end
if ARGV[12] ~= '' and attempt ~= '' then redis.call('HSET', KEYS[5], 'id', ARGV[12]) end
if ARGV[6] ~= '' then
  local outcome = ARGV[7]
  if attempt ~= '' then
    redis.call('HSET', KEYS[5], 'h', ARGV[6])
    -- A receipt that came before this record: what it proved stands, also where nothing else did.
    local receipt = redis.call('HGET', KEYS[5], 'rs')
    if receipt and (outcome == 's' or outcome == 'x') then outcome = receipt end
  end
  redis.call('HSET', KEYS[4], ARGV[6], outcome .. '|' .. ARGV[8])
end
if ARGV[11] == '1' and day ~= '' then
  local recent = {}
  for seen in string.gmatch(redis.call('HGET', KEYS[1], 'r') or '', '%d+') do
    if seen ~= day then recent[#recent + 1] = seen end
  end
  redis.call('HSET', KEYS[1], 'r', table.concat(recent, ','))
end
local where = ARGV[9]
if where == 'question' then
  redis.call('HSET', KEYS[1], 'f' .. n, table.concat({token, 'q', due, attempt, day}, '|'))
  redis.call('ZADD', KEYS[2], ARGV[10], member)
  return 'ok'
end
-- Given back without having been looked at ('back'): whether it kills workers is still not known.
if where ~= 'back' then redis.call('HDEL', KEYS[1], 'w' .. n) end
if where == 'hold' then
  redis.call('HSET', KEYS[1], 'f' .. n, table.concat({token, 'r', due}, '|'))
  redis.call('ZADD', KEYS[2], ARGV[10], member)
  return 'ok'
end
redis.call('HDEL', KEYS[1], 'f' .. n)
redis.call('ZREM', KEYS[2], member)
if redis.call('HGET', KEYS[1], 'u' .. n) == 'a' then
  if where == 'due' or where == 'back' then
    redis.call('ZADD', KEYS[3], ARGV[10], member)
  else
    redis.call('HSET', KEYS[1], 'u' .. n, 'c')
  end
elseif where == 'end' then
  redis.call('HSET', KEYS[1], 'u' .. n, 'c')
end
return 'ok'
