-- How many subscriptions of a partition are due between instants.
-- KEYS: due.  ARGV: instants (business ms), rising.
-- Returns {before the first, from the first up to the second, and so on}.
local counts = {redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])}
for i = 2, #ARGV do
  counts[i] = redis.call('ZCOUNT', KEYS[1], ARGV[i - 1], '(' .. ARGV[i])
end
return counts
