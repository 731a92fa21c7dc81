-- Remove the words of something that was said by or to an address that no patient uses.
-- KEYS: address, record.  ARGV: encrypted fields...
-- Returns 1, or 0 where a patient uses the address.
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'p:' then return 0 end
end
redis.call('HDEL', KEYS[2], unpack(ARGV))
-- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
local state = redis.call('HGET', KEYS[2], 'a')
if state then redis.call('HSET', KEYS[2], 'a', state) end
return 1
