-- Carry an address's suppression to one patient; a lower sequence never overwrites a higher one.
-- KEYS: patient, due, history, counts.
-- ARGV: copy field, sequence, on, reason, patient id, business now ms, the address's digest.
-- Where the patient's address was corrected ('n'), only the one that it is now counts; what comes
-- for the one that it is about to be ('m') is kept until it is.
-- Whatever stops an address but a number that does not work takes from staff the way back from a stop
-- of theirs (restart.lua).
-- Ends subscriptions that no channel reaches any more; a lift revives those that one reaches again.
-- Returns {applied, subscription numbers whose status changed...}.
--@ shared/counting.lua
local UNREACHABLE = {invalid = 'x', wrong_number = 'x'}
-- What is counted is why somebody left; 'o', of themselves, where it is not said here.
local WHY = {invalid = 'x', wrong_number = 'x', died = 'x', staff = 's'}
local letter = string.sub(ARGV[1], 2)

local function end_ways_back()
  if ARGV[3] ~= '1' or ARGV[4] == 'invalid' then return end
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.find(field, '^l%d+$') then
      redis.call('HSET', KEYS[1], field, string.match(redis.call('HGET', KEYS[1], field), '^%d+'))
    end
  end
end

local own = redis.call('HGET', KEYS[1], 'n' .. letter)
if own and string.match(own, '^[^|]*') ~= ARGV[7] then
  local coming = redis.call('HGET', KEYS[1], 'm' .. letter)
  local digest, sequence = string.match(coming or '', '^([^|]*)|(%d+)')
  if digest == ARGV[7] and tonumber(sequence) < tonumber(ARGV[2]) then
    coming = table.concat({digest, ARGV[2], ARGV[3], ARGV[4]}, '|')
    redis.call('HSET', KEYS[1], 'm' .. letter, coming)
    end_ways_back()
  else
    redis.call('HSET', KEYS[1], 'n' .. letter, own)  -- for WAITAOF, see below
  end
  return {0}
end
end_ways_back()
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '^%d+')) >= tonumber(ARGV[2]) then
  -- Written once more, since WAITAOF confirms at once on a connection that wrote nothing.
  redis.call('HSET', KEYS[1], ARGV[1], known)
  return {0}
end
-- Written even before the patient's record is, so that an enrolment under way cannot miss it.
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ARGV[2], ARGV[3], ARGV[4]}, '|'))
local reached = false
for channel in string.gmatch(redis.call('HGET', KEYS[1], 'h') or '', '%a') do
  local copy = redis.call('HGET', KEYS[1], 'x' .. channel)
  if not (copy and string.match(copy, '^%d+|1')) then reached = true end
end
local answer = {1}
local channel, was_on = string.sub(ARGV[1], 2), known and string.match(known, '^%d+|1') ~= nil
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local n = string.match(field, '^u(%d+)$')
  if n then
    local status, member = redis.call('HGET', KEYS[1], field), ARGV[5] .. '.' .. n
    local record = redis.call('HMGET', KEYS[1], 's' .. n, 't' .. n)
    if ARGV[3] == '1' and not was_on and (status == 'a' or status == 'p') then
      local what = WHY[ARGV[4]] or (reached and 'h' or 'o')
      if not reached or what == 'h' then
        count_event(record[2], record[1], what, ARGV[6], last_step(KEYS[1], KEYS[3], n), channel)
      end
    end
    if not reached and (status == 'a' or status == 'p') then
      redis.call('HSET', KEYS[1], field, UNREACHABLE[ARGV[4]] or 'o')
      count_status(record[2], record[1], status, UNREACHABLE[ARGV[4]] or 'o')
      -- A lift brings a pause back, until when it was.
      if status == 'p' then
        redis.call('HSET', KEYS[1], 'y' .. n, redis.call('HGET', KEYS[1], 'd' .. n) or '')
      end
      redis.call('HDEL', KEYS[1], 'd' .. n)
      redis.call('ZREM', KEYS[2], member)
      answer[#answer + 1] = n
    elseif reached and ARGV[3] == '0' and (status == 'o' or status == 'x')
      and redis.call('HEXISTS', KEYS[1], 'l' .. n) == 0 then  -- not one that was left by itself
      local wake, due = redis.call('HGET', KEYS[1], 'y' .. n), ARGV[6]
      redis.call('HSET', KEYS[1], field, wake and 'p' or 'a')
      count_status(record[2], record[1], status, wake and 'p' or 'a')
      count_event(record[2], record[1], 'b', ARGV[6], '', channel)
      if wake then
        due = wake ~= '' and wake or nil
        if due then redis.call('HSET', KEYS[1], 'd' .. n, due) end
        redis.call('HDEL', KEYS[1], 'y' .. n)
      end
      if due and redis.call('HEXISTS', KEYS[1], 'f' .. n) == 0 then
        redis.call('ZADD', KEYS[2], due, member)
      end
      answer[#answer + 1] = n
    end
  end
end
write_counts(KEYS[4])
return answer
