-- Put something before staff, once for its name.
-- KEYS: task, open tasks, alerts, audit, what was said, the one of its address that is answered, rows.
-- ARGV: machine now ms, when to alert (machine ms; '' for never), kind, source, business now ms,
--       ms for which what was said is listed, ms for which only one of an address is answered
--       automatically ('' where it does not matter which), fields...
-- Returns {1 if opened else 0, 1 if it is the one that is answered else 0}; asked again, both are the
-- same, and a task stays what has become of it.
local state = redis.call('HGET', KEYS[1], 's')
local name = string.match(KEYS[1], ':([^:]*)$')
local function row(state)  -- what lists show of it, where one look finds all
  local r = redis.call('HMGET', KEYS[1], 'k', 'at', 'a', 'g', 'p')
  redis.call('HSET', KEYS[7], name, table.concat({r[1], state, r[2], r[3], r[4], r[5], ''}, '|'))
end
local answered = 0
if ARGV[7] ~= '' then
  redis.call('SET', KEYS[6], name, 'NX', 'PX', ARGV[7])
  if redis.call('GET', KEYS[6]) == name then answered = 1 end
end
if state == 'c' and ARGV[3] == 'erasure' then  -- asked for once more: it was closed without
  redis.call('HSET', KEYS[1], 's', 'o', 'at', ARGV[1])
  redis.call('HDEL', KEYS[1], 'by', 'ta', 'ca')
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], ARGV[1], name)
  row('o')
  redis.call('XADD', KEYS[4], '*', 'what', 'task_opened', 'on', name, 'kind', ARGV[3], 'by', ARGV[4],
    'at', ARGV[5])
  return {1, answered}
end
if state then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], 's', state)
  return {0, answered}
end
redis.call('HSET', KEYS[1], 's', 'o', 'k', ARGV[3], 'at', ARGV[1], 'n', 0, unpack(ARGV, 8))
redis.call('ZADD', KEYS[2], ARGV[1], name)
row('o')
if ARGV[2] ~= '' then redis.call('ZADD', KEYS[3], ARGV[2], name) end
redis.call('XADD', KEYS[4], '*', 'what', 'task_opened', 'on', name, 'kind', ARGV[3], 'by', ARGV[4],
  'at', ARGV[5])
redis.call('ZADD', KEYS[5], ARGV[5], 'k:' .. name)
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1001)
redis.call('PEXPIRE', KEYS[5], ARGV[6])
return {1, answered}
