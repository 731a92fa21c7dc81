-- Enter a patient at the end of a list, unless they are among its newest.
-- KEYS: list.  ARGV: patient id.  Returns 1 where they were not.
-- Whoever was cut off between this and the patient's record asks again: so near the end it is seen.
local width, long = #ARGV[1], redis.call('STRLEN', KEYS[1])
local tail = redis.call('GETRANGE', KEYS[1], -50 * width, -1)
for at = 1, #tail, width do
  if string.sub(tail, at, at + width - 1) == ARGV[1] then
    -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
    redis.call('SETRANGE', KEYS[1], long - #tail + at - 1, ARGV[1])
    return 0
  end
end
redis.call('APPEND', KEYS[1], ARGV[1])
return 1
