-- Say who sees to a task, give it back, close it, or open it again.
-- KEYS: task, open tasks, alerts, audit, rows.
-- ARGV: 't' taken, 'o' given back, 'c' closed or 'r' opened again; who has it then ('' for nobody) or who
--       closes it, machine now ms, ms to keep what is closed, business now ms, a word for the audit,
--       who says so, who had it when they looked ('' for nobody, '*' for whoever), notes as they were read
--       and as they are to be (encrypted; '' for none and for no new one), 1 where staff are to be
--       alerted of what nobody has.
-- The first who takes it has it; what somebody has gone on with is not changed by who looked before.
-- Returns {'ok' | 'refused' | 'changed' (the notes: read them again) | 'gone', state, who has it}.
local record = redis.call('HMGET', KEYS[1], 's', 'by', 'nt')
local state, by, notes = record[1], record[2] or '', record[3] or ''
local to, holds = ARGV[1] == 'r' and 'o' or ARGV[1], ARGV[2]
if not state then return {'gone', '', ''} end
if state == to and by == holds and ARGV[10] == '' then
  redis.call('HSET', KEYS[1], 's', state)  -- for WAITAOF: what another copy wrote may not be on disk
  return {'ok', state, by}
end
local stale = ARGV[8] ~= '*' and ARGV[8] ~= (state == 't' and by or '')
if (state == 'c') ~= (ARGV[1] == 'r') or stale then return {'refused', state, by} end
if ARGV[10] ~= '' then
  if notes ~= ARGV[9] then return {'changed', state, by} end
  redis.call('HSET', KEYS[1], 'nt', ARGV[10])
end
local name = string.match(KEYS[1], ':([^:]*)$')
redis.call('HSET', KEYS[1], 's', to, 'by', holds)
redis.call('ZREM', KEYS[3], name)
if to == 't' then redis.call('HSET', KEYS[1], 'ta', ARGV[3]) end
if to == 'c' then
  redis.call('HSET', KEYS[1], 'ca', ARGV[3])
  redis.call('ZREM', KEYS[2], name)
  redis.call('HDEL', KEYS[5], name)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
  local r = redis.call('HMGET', KEYS[1], 'k', 'at', 'a', 'g', 'p')
  redis.call('HSET', KEYS[5], name, table.concat({r[1], to, r[2], r[3], r[4], r[5], holds}, '|'))
end
if to == 'o' then
  redis.call('HDEL', KEYS[1], 'by', 'ta', 'ca')
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[1], 'at'), name)
  if ARGV[11] == '1' then redis.call('ZADD', KEYS[3], ARGV[3], name) end
end
redis.call('XADD', KEYS[4], '*',
  'what', ({t = 'task_taken', o = 'task_returned', c = 'task_closed', r = 'task_reopened'})[ARGV[1]],
  'on', name, 'by', ARGV[7], 'reason', ARGV[6], 'at', ARGV[5])
return {'ok', to, holds}
