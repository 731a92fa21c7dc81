-- Enter patients at the end of a list, but for those who are among its newest.
-- KEYS: list.  ARGV: patient ids.  Returns how many were not.
-- Whoever was cut off between this and the patients' records asks again: so near the end it is seen.
local width, long = #ARGV[1], redis.call('STRLEN', KEYS[1])
local tail = redis.call('GETRANGE', KEYS[1], -(50 + 2 * (#ARGV - 1)) * width, -1)
local there = {}
for at = 1, #tail, width do
  there[string.sub(tail, at, at + width - 1)] = long - #tail + at - 1
end
local fresh = {}
for _, patient in ipairs(ARGV) do
  if there[patient] then
    -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
    redis.call('SETRANGE', KEYS[1], there[patient], patient)
  else
    fresh[#fresh + 1] = patient
  end
end
if #fresh > 0 then redis.call('APPEND', KEYS[1], table.concat(fresh)) end
return #fresh
