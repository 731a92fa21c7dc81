-- Claims that no longer hold, since what they were made with was changed.

-- Take a subscription from the worker that has claimed it and not begun: it can begin nothing any more.
-- What has begun goes on; its flight is returned, and nil where there is none (any more).
local function void_claim(patient, held, n, member)
  local flight = redis.call('HGET', patient, 'f' .. n)
  if not flight or not string.find(flight, '^%d+|[cr]') then return flight end
  redis.call('HDEL', patient, 'f' .. n)
  redis.call('ZREM', held, member)
  return nil
end
