-- Forget a batch of counts that has been added up.
-- KEYS: counts that were taken.  ARGV: number of the batch.  Returns 1, or 0 where it was before.
if redis.call('HGET', KEYS[1], '#') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
