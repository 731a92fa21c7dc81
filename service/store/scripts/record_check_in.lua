-- Record a patient's rating, once for the reply that holds it, and where the ratings are going.
-- KEYS: patient, check-ins, counts.
-- ARGV: reply, encrypted rating, trend, business ms of the reply, what it is counted as.
-- A reply that is followed late never replaces the trend of a newer one.
-- Returns 1, or 0 where there is no such patient any more.
--@ shared/counting.lua
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], redis.call('HGET', KEYS[2], ARGV[1]))
  return 1
end
count_rating(KEYS[1], ARGV[5], 1)
write_counts(KEYS[3])
local known = string.match(redis.call('HGET', KEYS[1], 'v') or '', '|(%d+)$')
if not known or tonumber(known) <= tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'v', ARGV[3] .. '|' .. ARGV[4])
end
return 1
