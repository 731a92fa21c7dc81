-- Counts for insight, gathered while a script works and written at its end (see counts.py).
-- A subscription is told by its own text `series|version|start|enrolled` and the number of the clinic
-- that it is counted under; one without was made before counting began, and is not counted. One that
-- has gone on as another subscription has a `+` behind it: its deliveries are counted, itself no more.
local counts = {}

local function count(field, by) counts[field] = (counts[field] or 0) + by end

local function hour_of(ms) return string.format('%d', math.floor(ms / 3600000)) end

-- A delivery, by its entry in the history: so that counts are what a recount of histories would find.
local function count_delivery(clinic, subscription, step, entry, by)
  if not clinic or not entry then return end
  local series = string.match(subscription, '^[^|]*|[^|]*')
  local state, channel, due, ended = string.match(entry, '^(%a)|[^|]*|(%a?)|(%-?%d+)|([+-]?%d+)')
  if string.find(ended, '^[+-]') then ended = due + ended end
  clinic = string.match(clinic, '%d+')
  count(table.concat({'d', hour_of(ended), clinic, series, step, channel, state}, '|'), by)
end

-- Subscriptions by status, and by when they began. 'z': it was ended by erasing the patient; 'm': it has
-- gone on as another one.
local function count_status(clinic, subscription, from, to)
  if not clinic or from == to or string.find(clinic, '+', 1, true) then return end
  local series, start, enrolled = string.match(subscription, '^([^|]*|[^|]*)|([^|]*)|(%d+)')
  local field = table.concat({'u', hour_of(enrolled), clinic, series, start, ''}, '|')
  if from then count(field .. from, -1) end
  if to then count(field .. to, 1) end
end

-- Something that happened: 'n' enrolled, 'o' left, 'h' left by one channel of two, 's' stopped by
-- staff, 'x' unreachable, 'b' came back; after which step, and by which channel.
local function count_event(clinic, subscription, what, ms, step, channel)
  if not clinic or string.find(clinic, '+', 1, true) then return end
  local series = string.match(subscription, '^[^|]*|[^|]*')
  count(table.concat({'e', hour_of(ms), clinic, series, what, step or '', channel or ''}, '|'), 1)
end

-- Days since 1970 of an ISO date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
local function day_of(date)
  local year, month, day = string.match(date, '^(%d+)-(%d+)-(%d+)$')
  year, month = tonumber(year), tonumber(month)
  if month <= 2 then year = year - 1 end
  local of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return year * 365 + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + of_year - 719468
end

-- A rating, told as `n|topic|rating|ms`, by weeks since its subscription began ('' = none).
local function count_rating(patient, told, by)
  local n, topic, rating, ms = string.match(told, '^(%d+)|([^|]*)|(%d+)|(%d+)$')
  if not n then return end
  local record = redis.call('HMGET', patient, 's' .. n, 't' .. n)
  if not record[2] then return end
  local clinic = string.match(record[2], '%d+')
  local series, start, enrolled = string.match(record[1], '^([^|]*)|[^|]*|([^|]*)|(%d+)')
  local begun = math.max(day_of(start), math.floor(enrolled / 86400000))
  local week = math.max(0, math.floor((math.floor(ms / 86400000) - begun) / 7))
  count(table.concat({'c', hour_of(ms), clinic, series, topic, string.format('%d', week), rating}, '|'), by)
end

-- The latest step that reached the patient, as far as is known.
local function last_step(patient, history, n)
  local place = string.match(redis.call('HGET', patient, 'k' .. n) or '0', '^%d+')
  for step = tonumber(place) - 1, 0, -1 do
    local entry = redis.call('HGET', history, n .. '.' .. step)
    if entry and string.find('sdx', string.sub(entry, 1, 1), 1, true) then return step end
  end
  return ''
end

local function write_counts(key)
  for field, by in pairs(counts) do
    if by ~= 0 then redis.call('HINCRBY', key, field, by) end
  end
end
