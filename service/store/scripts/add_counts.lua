-- Add a partition's batch of counts to those of all of them, once, however often it is asked.
-- KEYS: number of the last batch of each partition, then the hashes that are added to.
-- ARGV: partition, number of the batch, then for each count: place of its hash in KEYS, field, by.
-- Returns 1, or 0 where that batch was added before.
local last = redis.call('HGET', KEYS[1], ARGV[1])
if last and tonumber(last) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 3, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if redis.call('HINCRBY', key, ARGV[i + 1], ARGV[i + 2]) == 0 then redis.call('HDEL', key, ARGV[i + 1]) end
end
return 1
