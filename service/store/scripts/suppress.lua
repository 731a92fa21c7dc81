-- Set (ARGV[1] = '1') or lift ('0') the suppression of an address; the ledger's only writer.
-- KEYS: address, audit, open fan-outs.
-- ARGV: on, reason, source, at ms, lifts only these reasons (comma list, '' = any), fan-out's member,
--       for a start: stops that stood when it was recorded ('' = no start), and when it was received
--       ('' = not known), 1 for a stop of the patient's own that is no numbered reply ('' = it is none),
--       for a start whose time is not known: after when a stop makes its order doubtful ('' = never),
--       then reasons and their weights, in pairs (others weigh 2).
-- A change is noted as not yet carried to the patients until fanned_out.lua says that it was.
-- Several reasons may stand at once ('ys'), each until it is lifted: a patient's stop outlives the
-- correction of a number that was thought invalid.  'y' is the weightiest of them.
-- A start lifts nothing where a stop has come after it: no acknowledged stop is undone by a start
-- that was under way.  Stops up to its number are answered by it: one that is finished late stays so.
-- Times are told to the second, and a webhook takes its own: within SLACK of a stop nothing is certain.
-- Returns {changed (-1 where a start was overtaken, -2 where that is not clear), sequence, on, reason,
--          patients...}.
local SLACK = 2000
local weight = {}
for i = 11, #ARGV, 2 do weight[ARGV[i]] = tonumber(ARGV[i + 1]) end
local record = redis.call('HMGET', KEYS[1], 'q', 'x', 'y', 'ys', 'w', 'wt', 'l')
if ARGV[7] ~= '' then
  local stops, latest, answered = tonumber(record[5] or '0'), tonumber(record[6] or '0'), record[7]
  local received, doubtful, refused = tonumber(ARGV[8]), tonumber(ARGV[10]), nil
  if stops ~= tonumber(ARGV[7]) or (received and received <= latest - SLACK) then
    refused = -1
  elseif received and received <= latest then
    refused = -2
  elseif not received and doubtful and latest > doubtful and stops > tonumber(answered or '0') then
    refused = -2
  end
  if refused then
    redis.call('HSET', KEYS[1], 'q', record[1] or '0')  -- for WAITAOF, see below
    return {refused, tonumber(record[1] or '0'), record[2] or '0', record[3] or ''}
  end
  redis.call('HSET', KEYS[1], 'l', ARGV[7])
end
if ARGV[1] == '1' and ARGV[9] ~= '' then
  local now = redis.call('TIME')[1] * 1000
  redis.call('HINCRBY', KEYS[1], 'w', 1)
  if now > tonumber(record[6] or '0') then redis.call('HSET', KEYS[1], 'wt', now) end
end
local sequence, on, reason = tonumber(record[1] or '0'), record[2] or '0', record[3] or ''
local standing, found = {}, false
if on == '1' then
  for word in string.gmatch(record[4] or reason, '[^,]+') do
    if word == ARGV[2] then found = true end
    local lifted = ARGV[1] == '0' and
      (ARGV[5] == '' or string.find(',' .. ARGV[5] .. ',', ',' .. word .. ',', 1, true))
    if not lifted then standing[#standing + 1] = word end
  end
end
local changed = 0
if ARGV[1] == '1' and not found then
  changed, standing[#standing + 1] = 1, ARGV[2]
elseif ARGV[1] == '0' and on == '1' and table.concat(standing, ',') ~= (record[4] or reason) then
  changed = 1
end
if changed == 1 then
  sequence, on, reason = sequence + 1, #standing > 0 and '1' or '0', ARGV[2]
  for i, word in ipairs(standing) do
    if i == 1 or (weight[word] or 2) > (weight[reason] or 2) then reason = word end
  end
  redis.call('HSET', KEYS[1], 'y', reason, 'ys', table.concat(standing, ','), 'z', ARGV[4])
  redis.call('ZADD', KEYS[3], redis.call('TIME')[1] * 1000, ARGV[6])
  redis.call('XADD', KEYS[2], '*', 'what', ARGV[1] == '1' and 'suppressed' or 'suppression_lifted',
    'on', string.match(KEYS[1], ':([^:]*)$'), 'reason', ARGV[2], 'by', ARGV[3], 'at', ARGV[4])
end
-- Written even where nothing changed: an earlier call may not have been confirmed, and WAITAOF
-- confirms at once on a connection that wrote nothing.
redis.call('HSET', KEYS[1], 'q', sequence, 'x', on)
local answer = {changed, sequence, on, reason}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'p:' then answer[#answer + 1] = string.sub(field, 3) end
end
return answer
