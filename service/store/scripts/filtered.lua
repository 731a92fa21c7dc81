-- Count a text that was filtered as unwanted, against what its sender sent that day.
-- KEYS: sender.  ARGV: machine now ms, time to live ms.  Returns {filtered, sent}.
local day, record = math.floor(tonumber(ARGV[1]) / 86400000), redis.call('HMGET', KEYS[1], 'day', 'sent')
if record[1] ~= tostring(day) then
  redis.call('HSET', KEYS[1], 'day', day, 'sent', 0, 'filtered', 0)
  record[2] = '0'
end
local filtered = redis.call('HINCRBY', KEYS[1], 'filtered', 1)
if redis.call('HEXISTS', KEYS[1], 'stopped') == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {filtered, tonumber(record[2] or '0')}
