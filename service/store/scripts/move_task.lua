-- Take a task or close it. One that is closed stays so; the first who takes it has it.
-- KEYS: task, open tasks, alerts, audit.
-- ARGV: 't' taken or 'c' closed, who, machine now ms, ms to keep what is closed, business now ms, note.
-- Returns {'ok' | 'refused' | 'gone', state, who has it}.
local record = redis.call('HMGET', KEYS[1], 's', 'by')
local state, by = record[1], record[2] or ''
if not state then return {'gone', '', ''} end
if state == 'c' or (state == 't' and ARGV[1] == 't' and by ~= ARGV[2]) then
  return {'refused', state, by}
end
local name = string.match(KEYS[1], ':([^:]*)$')
redis.call('HSET', KEYS[1], 's', ARGV[1], 'by', ARGV[2], ARGV[1] == 't' and 'ta' or 'ca', ARGV[3])
redis.call('ZREM', KEYS[3], name)
if ARGV[1] == 'c' then
  redis.call('ZREM', KEYS[2], name)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
redis.call('XADD', KEYS[4], '*', 'what', ARGV[1] == 't' and 'task_taken' or 'task_closed', 'on', name,
  'by', ARGV[2], 'reason', ARGV[6], 'at', ARGV[5])
return {'ok', ARGV[1], ARGV[2]}
