-- Put another rating in a reply's place, or remove it, and note where the ratings are going then.
-- KEYS: patient, check-ins, counts.
-- ARGV: reply, encrypted rating ('' removes it), ratings that there were, the trend as it was and as it
--       is to be ('' for none), what the rating was counted as, what it is to be ('' for none).
-- Returns 'ok' | 'changed' (others were recorded meanwhile: read them again) | 'gone'.
--@ shared/counting.lua
if redis.call('HEXISTS', KEYS[1], 'c') == 0 then return 'gone' end
local known = redis.call('HGET', KEYS[1], 'v') or ''
if redis.call('HLEN', KEYS[2]) ~= tonumber(ARGV[3]) or known ~= ARGV[4] then return 'changed' end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[1], 'v')
else
  redis.call('HSET', KEYS[1], 'v', ARGV[5])
end
-- For WAITAOF, also where nothing was to be removed.
redis.call('HSET', KEYS[1], 'h', redis.call('HGET', KEYS[1], 'h') or '')
count_rating(KEYS[1], ARGV[6], -1)
count_rating(KEYS[1], ARGV[7], 1)
write_counts(KEYS[3])
return 'ok'
