-- Apply a provider's receipt: it only moves a delivery forward, and what is terminal stays.
-- KEYS: attempt.  ARGV: state, rank, provider id, code, patient history key prefix.
-- Returns {'gone'} | {'kept', state} | {'moved', state, patient}.
local record = redis.call('HMGET', KEYS[1], 'p', 'rs', 'rk', 'h', 'id')
if not record[1] then return {'gone'} end
local id = record[5]
if id and ARGV[3] ~= '' and id ~= ARGV[3] then return {'gone'} end
if record[3] and tonumber(record[3]) >= tonumber(ARGV[2]) then return {'kept', record[2]} end
redis.call('HSET', KEYS[1], 'rs', ARGV[1], 'rk', ARGV[2], 'rc', ARGV[4])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'id', ARGV[3]) end
if record[4] then
  local history = ARGV[5] .. record[1]
  local entry = redis.call('HGET', history, record[4])
  -- Only what was accepted, or is unknown, is open to evidence (schedules.delivery.advance).
  if entry and string.find('sx', string.sub(entry, 1, 1), 1, true) then
    local rest = string.match(entry, '^[^|]*(|.*)$')
    if ARGV[4] ~= '' then rest = string.gsub(rest, '|[^|]*|([^|]*)$', '|' .. ARGV[4] .. '|%1') end
    redis.call('HSET', history, record[4], ARGV[1] .. rest)
  end
end
return {'moved', ARGV[1], record[1]}
