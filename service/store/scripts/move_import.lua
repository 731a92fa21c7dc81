-- Change an import where its state and its lease allow it.
-- KEYS: import, imports that wait for a worker, audit.
-- ARGV: import id, states that allow it, token ('' = whoever), when a worker looks at it ms
--       ('' = never, '-' = as it is), for how long it is kept ms ('' = as it is, '-' = for good),
--       what for the audit ('' = nothing), by, at ms, then fields and values ('' = none)...
-- Returns 1, or 0 where it is not allowed.
local state = redis.call('HGET', KEYS[1], 's') or ''
if state == '' or not string.find(ARGV[2], state, 1, true) then return 0 end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], 'lt') ~= ARGV[3] then return 0 end
for i = 9, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
elseif ARGV[4] ~= '-' then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
if ARGV[5] == '-' then
  redis.call('PERSIST', KEYS[1])
elseif ARGV[5] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('XADD', KEYS[3], '*', 'what', ARGV[6], 'on', ARGV[1], 'by', ARGV[7], 'at', ARGV[8])
end
return 1
