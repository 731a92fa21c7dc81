-- Change fields of a member of staff, where those that it rests on still are as they were read.
-- KEYS: member, audit of staff; another member, where it rests on fields of theirs too.
-- ARGV: member's id, what, by whom, reason, business now ms, ends all sessions (1/0),
--       how many fields it rests on, how many of the other member's, how many it sets; fields and
--       values that it rests on ('' = there is none), then those of the other member; fields and
--       values to set; fields to remove ('k*' = all recovery codes).
-- Returns 'ok' | 'changed' (read it again) | 'gone'.
local known = redis.call('HGET', KEYS[1], 'c')
if not known then return 'gone' end
local rests, others, sets = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local at = 10
for place = 1, rests + others do
  local whose = place > rests and KEYS[3] or KEYS[1]
  if (redis.call('HGET', whose, ARGV[at]) or '') ~= ARGV[at + 1] then
    redis.call('HSET', KEYS[1], 'c', known)  -- WAITAOF has something to confirm
    return 'changed'
  end
  at = at + 2
end
for place = at + 2 * sets, #ARGV do
  if ARGV[place] == 'k*' then
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
      if string.sub(field, 1, 1) == 'k' then redis.call('HDEL', KEYS[1], field) end
    end
  else
    redis.call('HDEL', KEYS[1], ARGV[place])
  end
end
for _ = 1, sets do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
if ARGV[6] == '1' then redis.call('HINCRBY', KEYS[1], 'e', 1) end
redis.call('XADD', KEYS[2], '*', 'what', ARGV[2], 'on', ARGV[1], 'by', ARGV[3],
  'reason', ARGV[4], 'at', ARGV[5])
return 'ok'
