-- Note that staff have been alerted of a task, and when they are to be again.
-- KEYS: task, alerts.  ARGV: alerts before this one, next (machine ms; '' for none).
-- Returns 1, or 0 where another worker was first, or somebody has taken it meanwhile.
local name = string.match(KEYS[1], ':([^:]*)$')
local record = redis.call('HMGET', KEYS[1], 's', 'n')
if record[1] ~= 'o' then
  redis.call('ZREM', KEYS[2], name)
  return 0
end
if record[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'n', tonumber(ARGV[1]) + 1)
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[2], name)
else
  redis.call('ZADD', KEYS[2], ARGV[2], name)
end
return 1
