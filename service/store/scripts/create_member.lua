-- Create an account for a member of staff, unless somebody has that e-mail address.
-- KEYS: e-mail addresses, member, audit of staff.
-- ARGV: keyed hash of the address, member's id, business now ms, by whom, role, fields...
-- Returns the id of who has the address: the new one where it was created.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], ARGV[1], known)
  return known
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 6))
redis.call('XADD', KEYS[3], '*', 'what', 'member_created', 'on', ARGV[2], 'by', ARGV[4],
  'reason', ARGV[5], 'at', ARGV[3])
return ARGV[2]
