-- Lift an address's suppression for a start, unless a stop has come after it: one atomic step, so
-- that no acknowledged stop can be undone by a start that was under way.
-- KEYS: address, audit.
-- ARGV: stops that stood when the start was recorded, received ms ('' where arrival tells the order),
--       liftable reasons (comma list), source, business now ms.
-- Writes what suppress.lua writes.  Returns 'lifted', 'open' (it was not suppressed), 'kept' (another
-- reason stands) or 'overtaken'.
local record = redis.call('HMGET', KEYS[1], 'q', 'x', 'y', 'w', 'wt')
if tonumber(record[4] or '0') ~= tonumber(ARGV[1]) then return 'overtaken' end
if ARGV[2] ~= '' and tonumber(ARGV[2]) <= tonumber(record[5] or '0') then return 'overtaken' end
-- Stops up to this number are answered by this start: one of them that is finished late stays so.
redis.call('HSET', KEYS[1], 'l', ARGV[1])
if record[2] ~= '1' then return 'open' end
if not string.find(',' .. ARGV[3] .. ',', ',' .. (record[3] or '') .. ',', 1, true) then return 'kept' end
redis.call('HSET', KEYS[1], 'q', tonumber(record[1] or '0') + 1, 'x', '0', 'y', 'rejoined', 'z', ARGV[5])
redis.call('XADD', KEYS[2], '*', 'what', 'suppression_lifted',
  'on', string.match(KEYS[1], ':([^:]*)$'), 'reason', 'rejoined', 'by', ARGV[4], 'at', ARGV[5])
return 'lifted'
