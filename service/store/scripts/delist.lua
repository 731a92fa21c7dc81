-- Take a patient out of a list; the others keep their places.
-- KEYS: list.  ARGV: patient id.  Returns how often they were in it.
-- Read from the newest end, a stretch at a time: the whole of it may be megabytes.
local width, found = #ARGV[1], 0
local stretch, last = width * 10000, redis.call('STRLEN', KEYS[1])
local left = string.rep('-', width)
while last > 0 do
  local first = math.max(0, last - stretch)
  local text = redis.call('GETRANGE', KEYS[1], first, last - 1)
  local at = string.find(text, ARGV[1], 1, true)
  while at do
    if (at - 1) % width == 0 then
      redis.call('SETRANGE', KEYS[1], first + at - 1, left)
      found = found + 1
    end
    at = string.find(text, ARGV[1], at + 1, true)
  end
  last = first
end
return found
