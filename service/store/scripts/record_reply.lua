-- Record an inbound message before anything is done about it; the same message is recorded once.
-- KEYS: reply, address, open replies, messages lately, what was said, the join that a YES is for.
-- ARGV: 'out' (a stop), 'in' (a start) or '' (neither), received ms, time to live ms,
--       machine now ms, ms over which messages are counted, received business ms, fields...
-- Stops of an address are numbered: a start holds the number of stops that stood before it, and so
-- can be told from one that a newer stop has overtaken.
-- Of what was said the newest thousand are listed.
-- Returns {1 if new else 0, messages lately when it came, 1 if a join waits for a YES else 0,
--          {patients who use the address...}, {fields and values...}}.
local function answer(new, lately)
  local patients = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(field, 1, 2) == 'p:' then patients[#patients + 1] = string.sub(field, 3) end
  end
  return {new, lately, redis.call('EXISTS', KEYS[6]), patients, redis.call('HGETALL', KEYS[1])}
end
local known = redis.call('HGET', KEYS[1], 'n')
if known then
  -- Written once more: WAITAOF confirms at once on a connection that wrote nothing, and the first
  -- copy's own write may not be on disk yet.
  redis.call('HSET', KEYS[1], 'n', known)
  return answer(0, tonumber(redis.call('HGET', KEYS[1], 'as') or '0'))
end
local stops = '0'
if ARGV[1] == 'out' then
  stops = redis.call('HINCRBY', KEYS[2], 'w', 1)
  local latest = tonumber(redis.call('HGET', KEYS[2], 'wt') or '0')
  if tonumber(ARGV[2]) > latest then redis.call('HSET', KEYS[2], 'wt', ARGV[2]) end
elseif ARGV[1] == 'in' then
  stops = redis.call('HGET', KEYS[2], 'w') or '0'
end
local lately = redis.call('INCR', KEYS[4])
if lately == 1 then redis.call('PEXPIRE', KEYS[4], ARGV[5]) end
local fields = {'n', stops, 'as', lately}
for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local name = string.match(KEYS[1], ':([^:]*)$')
redis.call('ZADD', KEYS[3], ARGV[4], name)
redis.call('ZADD', KEYS[5], ARGV[6], 'r:' .. name)
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1001)
redis.call('PEXPIRE', KEYS[5], ARGV[3])
return answer(1, lately)
