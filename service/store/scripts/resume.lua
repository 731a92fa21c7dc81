-- Resume a stopped sender: it has been proven to work, or staff say so.
-- KEYS: sender.
-- ARGV: machine now ms, by ('answer' | 'receipt' | 'command'), when the proof was begun ms, time to live ms.
-- An accepted answer proves nothing where refusals come by receipt; nor does what was begun before
-- the latest refusal.  Counts begin anew, so that what was filtered before does not stop it again.
-- Returns 1 where it was stopped and goes on now.
local record = redis.call('HMGET', KEYS[1], 'stopped', 'proof', 'refused')
if not record[1] then return 0 end
if ARGV[2] == 'answer' and record[2] ~= 'answer' then return 0 end
if ARGV[2] ~= 'command' and tonumber(ARGV[3]) <= tonumber(record[3]) then return 0 end
redis.call('HDEL', KEYS[1], 'stopped', 'code', 'reason', 'proof', 'refused', 'probe', 'sent', 'filtered', 'day')
redis.call('HSET', KEYS[1], 'resumed', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
