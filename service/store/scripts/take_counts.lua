-- Take what a partition has counted, to be added up for all of them; asked again, the same once more.
-- KEYS: counts, those that are taken, fence.
-- Returns {number of the batch, {field, count...}}, or nothing where nothing was counted.
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
  redis.call('RENAME', KEYS[1], KEYS[2])
  -- Of the counter of fencing tokens, since it only ever grows.
  redis.call('HSET', KEYS[2], '#', redis.call('INCR', KEYS[3]))
end
return {redis.call('HGET', KEYS[2], '#'), redis.call('HGETALL', KEYS[2])}
