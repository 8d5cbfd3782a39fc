-- Counts one request against several sets of limits: in all of them, or in
-- none. Whatever it says is what entry.go says: the tests run both side by side.
--
-- KEYS   a counter for each set of limits; then, where the request has an id, one for that
-- ARGV   how many sets; of each: nanoseconds for one request (0: no rate), burst, quota (0: none), window (h, d, mo);
--        where the request has an id, how many milliseconds it is known, and how often it is answered again without
--        being counted; the moment in seconds, and nanoseconds of it: without these, it is the server's clock
-- Answer 0 it is counted; 1 it was counted before; or else a list of what each set says:
--        nanoseconds to wait for the rate, and for the quota; seconds of the quota's window
--
-- A counter is five doubles: the seconds of the latest request, and nanoseconds
-- of it; how many are spent of the burst, and for how many nanoseconds before
-- the latest time has made up for the first of them; how many the window has had.
-- No number here is larger than what a double holds to the last digit, but for
-- spans of more than a hundred days.

local SKEW, LINGER, LAYOUT = 1e9, 60000, '<ddddd'

-- window gives the bounds, in Unix seconds, of the calendar's hour, day or month in UTC.
local function window(per, at)
  if per == 'h' then
    return at - at % 3600, at - at % 3600 + 3600
  end
  local day = math.floor(at / 86400)
  if per == 'd' then
    return day * 86400, (day + 1) * 86400
  end
  -- Years that begin in March, in cycles of 400: the leap day is the last of a year.
  local z = day + 719468
  local doe = z % 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local month = math.floor((5 * doy + 2) / 153)
  local first, length = math.floor((153 * month + 2) / 5), 0
  if month < 11 then
    length = math.floor((153 * (month + 1) + 2) / 5) - first
  else
    local year = yoe + 1 -- of this February, in its cycle
    length = ((year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0) and 29 or 28
  end
  local start = day - (doy - first)
  return start * 86400, (start + length) * 86400
end

local sets = tonumber(ARGV[1])
local rest = 4 * sets + 2 -- where the sets end in ARGV
local request, known, repeats = KEYS[sets + 1]
if request then
  known, repeats, rest = ARGV[rest], tonumber(ARGV[rest + 1]), rest + 2
  local again = redis.call('GET', request)
  if again and tonumber(again) < repeats then
    redis.call('INCR', request)
    return 1
  end
end

local s, ns = tonumber(ARGV[rest]), tonumber(ARGV[rest + 1])
if not s then
  local t = redis.call('TIME')
  s, ns = tonumber(t[1]), tonumber(t[2]) * 1000
end

local counters, waits, passes = {}, {}, true
for i = 1, sets do
  local every, burst = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local quota, per = tonumber(ARGV[4 * i]), ARGV[4 * i + 1]
  local c = {s = s, ns = ns, spent = 0, behind = 0, used = 0, every = every, quota = quota, ends = s}
  local before = redis.call('GET', KEYS[i])
  local past, latest = 0, s
  if before and #before == 40 then
    local ls, lns
    ls, lns, c.spent, c.behind, c.used = struct.unpack(LAYOUT, before)
    past = (s - ls) * 1e9 + (ns - lns)
    if past < -SKEW then
      past = 0 -- the clock was set back, and what was counted goes back with it
    elseif past < 0 then
      c.s, c.ns, past, latest = ls, lns, 0, ls -- it was overtaken, and is counted with the last
    else
      latest = ls
    end
  end

  local rate_wait, quota_wait, length = 0, 0, 0
  if quota > 0 then
    local starts
    starts, c.ends = window(per, c.s)
    length = c.ends - starts
    if latest < starts then
      c.used = 0
    end
    if c.used >= quota then
      quota_wait = (c.ends - c.s) * 1e9 - c.ns
    end
  else
    c.used = 0
  end
  if every > 0 then
    local elapsed = past + c.behind
    local made_up = math.floor(elapsed / every)
    if made_up < c.spent then
      c.spent, c.behind = c.spent - made_up, elapsed - made_up * every
    else
      c.spent, c.behind = 0, 0
    end
    c.spent = math.min(c.spent, burst)
    if c.spent >= burst then
      rate_wait = every - c.behind
    end
  else
    c.spent, c.behind = 0, 0
  end
  passes = passes and rate_wait == 0 and quota_wait == 0
  counters[i] = c
  waits[3 * i - 2], waits[3 * i - 1], waits[3 * i] = rate_wait, quota_wait, length
end

for i, c in ipairs(counters) do
  if passes and c.every > 0 then
    c.spent = c.spent + 1
  end
  if passes and c.quota > 0 then
    c.used = c.used + 1
  end
  -- It is kept until nothing is left of what was counted, and a little longer: the expiry is by the server's
  -- clock, which another server takes over with its own idea of the time.
  local stays = math.max((c.spent * c.every - c.behind) / 1e6, (c.ends - c.s) * 1000)
  redis.call('SET', KEYS[i], struct.pack(LAYOUT, c.s, c.ns, c.spent, c.behind, c.used),
    'PX', string.format('%.0f', math.min(math.ceil(stays), 3e12) + LINGER))
end
if not passes then
  return waits
end
if request then
  redis.call('SET', request, 0, 'PX', known, 'NX')
end
return 0
