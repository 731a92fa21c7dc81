-- Read a session, and note that it is used.
-- KEYS: session.
-- ARGV: machine now ms, ms that it may be idle, ms that it may last at all, ms between two notes,
--       what it is for ('s' a session, 'b' a sign-in that was begun).
-- Returns its fields; none where it is over, or for something else.
local seen, started, kind = unpack(redis.call('HMGET', KEYS[1], 'seen', 'at', 'f'))
if not seen or kind ~= ARGV[5] then return {} end
local now, idle, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now - seen >= idle or now - started >= most then
  redis.call('DEL', KEYS[1])
  return {}
end
if now - seen >= tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'seen', now)
  redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(idle, most - (now - started))))
end
return redis.call('HGETALL', KEYS[1])
