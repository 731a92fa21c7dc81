-- Enter patients at the end of lists of one partition, but for those among a list's newest.
-- KEYS: lists.  ARGV: for each how many patients, then their ids.  Returns of each how many were not.
-- Whoever was cut off between this and the patients' records asks again: so near the end it is seen.
local at, fresh_of = 1, {}
for turn, list in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local width, long = #ARGV[at + 1], redis.call('STRLEN', list)
  local tail = redis.call('GETRANGE', list, -(50 + 2 * (count - 1)) * width, -1)
  local there = {}
  for place = 1, #tail, width do
    there[string.sub(tail, place, place + width - 1)] = long - #tail + place - 1
  end
  local fresh = {}
  for next = at + 1, at + count do
    local patient = ARGV[next]
    if there[patient] then
      -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
      redis.call('SETRANGE', list, there[patient], patient)
    else
      fresh[#fresh + 1] = patient
    end
  end
  if #fresh > 0 then redis.call('APPEND', list, table.concat(fresh)) end
  fresh_of[turn] = #fresh
  at = at + 1 + count
end
return fresh_of
