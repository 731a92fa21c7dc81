-- Read a stretch of a list of ids, backwards from a place or from its end.
-- KEYS: list.  ARGV: the place before which it ends ('' = the list's end), how many ids, letters of an id.
-- Returns {the place before which it ends, the ids in the list's own order}.
local long = math.floor(redis.call('STRLEN', KEYS[1]) / ARGV[3])
local last = ARGV[1] == '' and long or math.min(tonumber(ARGV[1]), long)
local first = math.max(0, last - ARGV[2])
if last <= first then return {0, ''} end
return {last, redis.call('GETRANGE', KEYS[1], first * ARGV[3], last * ARGV[3] - 1)}
