-- Take up to ARGV[3] tokens of a sender's rate.
-- KEYS: bucket.  ARGV: machine now ms, tokens a second, wanted.
-- Returns {granted, ms until the next one}.
local now, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local record = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until')
local rest = tonumber(record[3] or '0') - now
if rest > 0 then return {0, rest} end
local burst = math.max(rate, 1)
local tokens, at = tonumber(record[1] or burst), tonumber(record[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
-- Never back: a worker whose clock lags would otherwise give the others tokens twice.
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', math.max(now, at))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {granted, math.ceil(math.max(0, 1 - tokens) * 1000 / rate)}
