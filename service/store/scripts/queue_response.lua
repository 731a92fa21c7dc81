-- Queue a message outside of a series, once for its name; asked again, it stays what it is.
-- KEYS: response, responses to send, what was said, audit.
-- ARGV: when to send (machine ms), time to live ms, business now ms ('' for what is not listed), who
--       wrote it ('' for nobody), business now ms, fields...
-- Returns 1 where it was queued, 0 where it was before.
local state = redis.call('HGET', KEYS[1], 's')
if state then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], 's', state)
  return 0
end
redis.call('HSET', KEYS[1], 's', 'q', unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local name = string.match(KEYS[1], ':([^:]*)$')
redis.call('ZADD', KEYS[2], ARGV[1], name)
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[3], 'm:' .. name)
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1001)
  redis.call('PEXPIRE', KEYS[3], ARGV[2])
end
if ARGV[4] ~= '' then
  redis.call('XADD', KEYS[4], '*', 'what', 'answer_written', 'on', name, 'by', ARGV[4], 'at', ARGV[5])
end
return 1
