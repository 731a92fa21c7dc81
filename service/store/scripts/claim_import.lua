-- Begin an import, or go on with one whose worker is gone, under a lease.
-- KEYS: import, imports that wait for a worker, imports by file.
-- ARGV: import id, states that allow it, token, now ms, lease end ms, 1 where workers look after it,
--       its state from now on.
-- Returns {'ok', all fields...} | {'state', letter or ''} | {'held'}.  Both times are machine ms.
local state = redis.call('HGET', KEYS[1], 's') or ''
if state == '' or not string.find(ARGV[2], state, 1, true) then return {'state', state} end
local held = redis.call('HMGET', KEYS[1], 'lt', 'lu')
if held[1] and held[1] ~= ARGV[3] and tonumber(held[2]) > tonumber(ARGV[4]) then return {'held'} end
redis.call('HSET', KEYS[1], 's', ARGV[7], 'lt', ARGV[3], 'lu', ARGV[5])
if ARGV[7] == 'r' then
  redis.call('PERSIST', KEYS[1])
  redis.call('HSET', KEYS[3], redis.call('HGET', KEYS[1], 'd'), ARGV[1])
end
if ARGV[6] == '1' then redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1]) end
return {'ok', unpack(redis.call('HGETALL', KEYS[1]))}
