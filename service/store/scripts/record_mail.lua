-- Record an e-mail that came back once its effects are complete; the same one is recorded once.
-- KEYS: mail, audit.
-- ARGV: time to live ms, business now ms, what it was, the mailbox's digest, fields...
-- Returns 1 where it is new, else 0.
local known = redis.call('HGET', KEYS[1], 'k')
if known then
  -- Written once more: WAITAOF confirms at once on a connection that wrote nothing, and the first
  -- copy's own write may not be on disk yet.
  redis.call('HSET', KEYS[1], 'k', known)
  return 0
end
local fields = {'k', ARGV[3], 'a', ARGV[4], 'at', ARGV[2]}
for i = 5, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], '*', 'what', 'mail_' .. ARGV[3], 'on', ARGV[4],
  'by', 'mail:' .. string.match(KEYS[1], ':([^:]*)$'), 'at', ARGV[2])
return 1
