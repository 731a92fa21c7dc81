-- Lift an address's suppression for a start, unless a stop has come after it: one atomic step, so
-- that no acknowledged stop can be undone by a start that was under way.
-- KEYS: address, audit.
-- ARGV: stops that stood when the start was recorded, received ms ('' where arrival tells the order),
--       liftable reasons (comma list), source, business now ms.
-- Writes what suppress.lua writes.  Returns 'lifted', 'open' (it was not suppressed), 'kept' (another
-- reason stands) or 'overtaken'.
local WEIGHT = {staff = 3, provider_opt_out = 1, invalid = 0}
local record = redis.call('HMGET', KEYS[1], 'q', 'x', 'y', 'ys', 'w', 'wt')
if tonumber(record[5] or '0') ~= tonumber(ARGV[1]) then return 'overtaken' end
if ARGV[2] ~= '' and tonumber(ARGV[2]) <= tonumber(record[6] or '0') then return 'overtaken' end
-- Stops up to this number are answered by this start: one of them that is finished late stays so.
redis.call('HSET', KEYS[1], 'l', ARGV[1])
if record[2] ~= '1' then return 'open' end
local all = record[4] or record[3] or ''
local standing, reason = {}, 'rejoined'
for word in string.gmatch(all, '[^,]+') do
  if not string.find(',' .. ARGV[3] .. ',', ',' .. word .. ',', 1, true) then
    standing[#standing + 1] = word
    if #standing == 1 or (WEIGHT[word] or 2) > (WEIGHT[reason] or 2) then reason = word end
  end
end
local outcome = #standing > 0 and 'kept' or 'lifted'
if table.concat(standing, ',') == all then return outcome end
redis.call('HSET', KEYS[1], 'q', tonumber(record[1] or '0') + 1, 'x', #standing > 0 and '1' or '0',
  'y', reason, 'ys', table.concat(standing, ','), 'z', ARGV[5])
redis.call('XADD', KEYS[2], '*', 'what', 'suppression_lifted',
  'on', string.match(KEYS[1], ':([^:]*)$'), 'reason', 'rejoined', 'by', ARGV[4], 'at', ARGV[5])
return outcome
