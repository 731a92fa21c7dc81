-- Change what is known of a patient, and have what was planned by it looked at anew.
-- KEYS: patient, due, audit.
-- ARGV: patient id, contact as it was read, contact as it is to be, ends older links (1/0),
--       business now ms, source, what changes (words with commas between them).
-- Whatever is due later is due at once: the policy puts it off to its time by the new zone or bedtime.
-- The cursor stays where it is, so that nothing is sent twice. In flight it is looked at afterwards.
-- Returns 'ok' | 'changed' (read it again: somebody was first, or it is under a newer key) | 'gone'.
local known, now = redis.call('HGET', KEYS[1], 'c'), tonumber(ARGV[5])
if not known then return 'gone' end
if known ~= ARGV[2] then return 'changed' end
redis.call('HSET', KEYS[1], 'c', ARGV[3])
if ARGV[4] == '1' then redis.call('HINCRBY', KEYS[1], 'e', 1) end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local n = string.match(field, '^u(%d+)$')
  if n and redis.call('HGET', KEYS[1], field) == 'a' then
    if redis.call('HEXISTS', KEYS[1], 'f' .. n) == 0 then
      redis.call('ZADD', KEYS[2], 'LT', now, ARGV[1] .. '.' .. n)
    else
      local wake = redis.call('HGET', KEYS[1], 'b' .. n)
      if not wake or tonumber(wake) > now then redis.call('HSET', KEYS[1], 'b' .. n, now) end
    end
  end
end
redis.call('XADD', KEYS[3], '*', 'what', 'amended', 'on', ARGV[1], 'by', ARGV[6],
  'reason', ARGV[7], 'at', ARGV[5])
return 'ok'
