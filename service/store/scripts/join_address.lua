-- Enter patients under addresses of one partition, each in one step with reading its suppression.
-- KEYS: addresses.  ARGV: for each the patient.  Returns for each {sequence, '1' or '0', reason}.
local copies = {}
for at, address in ipairs(KEYS) do
  redis.call('HSET', address, 'p:' .. ARGV[at], '')
  local record = redis.call('HMGET', address, 'q', 'x', 'y')
  copies[at] = {record[1] or '0', record[2] or '0', record[3] or ''}
end
return copies
