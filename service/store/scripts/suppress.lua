-- Set (ARGV[1] = '1') or lift ('0') the suppression of an address; the ledger's only writer.
-- KEYS: address, audit.  ARGV: on, reason, source, at ms, lifts only these reasons (comma list, '' = any).
-- Returns {changed, sequence, on, reason, patients...}.
local record = redis.call('HMGET', KEYS[1], 'q', 'x', 'y')
local sequence, on, reason = tonumber(record[1] or '0'), record[2] or '0', record[3] or ''
local changed = 0
local may = ARGV[1] == '1' or ARGV[5] == '' or string.find(',' .. ARGV[5] .. ',', ',' .. reason .. ',', 1, true)
if on ~= ARGV[1] and may then
  changed, sequence, on, reason = 1, sequence + 1, ARGV[1], ARGV[2]
  redis.call('HSET', KEYS[1], 'q', sequence, 'x', on, 'y', reason, 'z', ARGV[4])
  redis.call('XADD', KEYS[2], '*', 'what', on == '1' and 'suppressed' or 'suppression_lifted',
    'on', string.match(KEYS[1], ':([^:]*)$'), 'reason', reason, 'by', ARGV[3], 'at', ARGV[4])
end
local answer = {changed, sequence, on, reason}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'p:' then answer[#answer + 1] = string.sub(field, 3) end
end
return answer
