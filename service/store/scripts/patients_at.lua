-- Read who was entered under addresses of one partition.
-- KEYS: addresses.  Returns for each the ids of its patients.
local entered = {}
for at, address in ipairs(KEYS) do
  local patients = {}
  for _, field in ipairs(redis.call('HKEYS', address)) do
    if string.sub(field, 1, 2) == 'p:' then patients[#patients + 1] = string.sub(field, 3) end
  end
  entered[at] = patients
end
return entered
