-- Queue a message outside of a series, once for its name; asked again, it stays what it is.
-- KEYS: response, responses to send.  ARGV: when to send (machine ms), time to live ms, fields...
-- Returns 1 where it was queued, 0 where it was before.
local state = redis.call('HGET', KEYS[1], 's')
if state then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], 's', state)
  return 0
end
redis.call('HSET', KEYS[1], 's', 'q', unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[1], string.match(KEYS[1], ':([^:]*)$'))
return 1
