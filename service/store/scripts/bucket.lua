-- Take up to ARGV[3] tokens of a sender's rate; of a stopped sender one, once an interval: a probe.
-- KEYS: sender.
-- ARGV: machine now ms, tokens a second, wanted, ms between probes, time to live ms.
-- Returns {granted, ms until the next one, 1 where the one granted is a probe}.
local now, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local record = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until', 'probe', 'day', 'sent')
local rest = tonumber(record[3] or '0') - now
if rest > 0 then return {0, rest, 0} end
if record[4] then
  local interval = tonumber(ARGV[4])
  -- Never longer than the interval: a clock that was set back must not keep it stopped.
  local wait = math.min(tonumber(record[4]) - now, interval)
  if wait > 0 then return {0, wait, 0} end
  redis.call('HSET', KEYS[1], 'probe', now + interval)
  return {1, interval, 1}
end
local burst = math.max(rate, 1)
local tokens, at = tonumber(record[1] or burst), tonumber(record[2] or now)
-- More than any worker lags: the clock was set back, and nothing would be granted until it is there
-- again.
if at > now + 60000 then at = now end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
-- What went out today is what filtered.lua measures against.
local day, sent = math.floor(now / 86400000), granted
if record[5] == tostring(day) then
  sent = sent + tonumber(record[6])
else
  redis.call('HDEL', KEYS[1], 'filtered')
end
-- Never back: a worker whose clock lags would otherwise give the others tokens twice.
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', math.max(now, at),
  'day', day, 'sent', sent)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {granted, math.ceil(math.max(0, 1 - tokens) * 1000 / rate), 0}
