-- What a partition has to do: {first due ms or '', first held ms or '', number held, first of the rest}.
-- KEYS: due, held, then the rest of what is done by machine time: the earliest of it counts.
local due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local held = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local first
for i = 3, #KEYS do
  local found = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  if found and (not first or tonumber(found) < tonumber(first)) then first = found end
end
return {due[2] or '', held[2] or '', redis.call('ZCARD', KEYS[2]), first or ''}
