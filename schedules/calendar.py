"""Local time: zones, gaps and folds, and the windows in which a patient may be written to.

Every local time of every zone resolves to one instant, and does so in order: a later time of the
same day is never an earlier instant because of a gap. Instants are aware UTC datetimes throughout.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schedules.errors import ProfileError, ScheduleError
from schedules.quiet_hours import SHORTEST, Hours, load_quiet_hours
from schedules.steps import CHANNELS, At, Channel, Step

MIN_VALIDITY: Final = timedelta(minutes=5)
"""A text is not begun unless the provider has at least this long to deliver it."""

VALIDITY_MARGIN: Final = timedelta(seconds=60)
"""The window outlives the provider's validity by more than this (ARCHITECTURE, "Time")."""

_TICK: Final = timedelta(seconds=1)
_SEND_MARGIN: Final[dict[Channel, timedelta]] = {
    "sms": MIN_VALIDITY + VALIDITY_MARGIN + _TICK,
    "email": VALIDITY_MARGIN,  # for the queue between deciding and beginning
}
_PLAN_MARGIN: Final = timedelta(minutes=10)
_EVENING: Final = time(20, 0)
_SLOT: Final = timedelta(hours=1)
_SLOT_MINUTES: Final = 30
_NIGHT_ENDS: Final = time(6, 0)
_LONGEST_CLOSED: Final = 16  # days: a week of closed days, twice, and a skipped one


@dataclass(frozen=True, slots=True)
class Profile:
    """What planning needs to know of a patient, and nothing that names them.

    `timezone` is an IANA name; `country` ISO 3166 alpha-2; `state` its code, or None where not
    known; `bedtime` local (00:00-05:59 belongs to the evening before); `channels` those consented
    to and not suppressed; `jitter_key` anything stable for the patient.

    Raises:
        ProfileError: The zone, country, state or a channel is none.
    """

    timezone: str
    country: str = "US"
    state: str | None = None
    bedtime: time = time(22, 30)
    channels: frozenset[str] = field(default=frozenset(CHANNELS))
    jitter_key: str = ""

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        for code in (self.country, self.state):
            if code is not None and not (1 <= len(code) <= 3 and code.isupper()):  # noqa: PLR2004
                raise ProfileError(f"{code!r}: give a country or state by its code, like US or OR")
        if not self.channels.issubset(CHANNELS):
            raise ProfileError(f"{sorted(self.channels)}: channels are {', '.join(CHANNELS)}")


@dataclass(frozen=True, slots=True)
class Window:
    """The open part of one local date of a channel, as instants.

    A message may be begun from `opens` up to and including `last`; `closes` is the end of the
    window, which no provider validity may outlive.
    """

    opens: datetime
    closes: datetime
    last: datetime


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Return an IANA time zone; raises ProfileError, saying what to give, where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise ProfileError(
            f"{name!r} is not a time zone: give an IANA name such as America/New_York"
        ) from fault


def local_date(profile: Profile, instant: datetime) -> date:
    """Return the patient's local date at an instant."""
    return instant.astimezone(zone_of(profile.timezone)).date()


@lru_cache(maxsize=65_536)
def resolve(local: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return the instant of a naive local time, in UTC.

    A time in a gap is the first instant after the gap. A time that occurs twice is its first
    occurrence, or its last where asked for.
    """
    first_offset = zone.utcoffset(local.replace(fold=0))
    last_offset = zone.utcoffset(local.replace(fold=1))
    if first_offset is None or last_offset is None:
        raise ProfileError(f"{zone.key} has no offset: give an IANA name such as America/New_York")
    local = local.replace(tzinfo=UTC, fold=0)
    if first_offset < last_offset:
        return _end_of_gap(local - last_offset, local - first_offset, zone)
    return local - (last_offset if last else first_offset)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first whole second in (before, after] whose offset is no longer that before."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * _TICK).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return (before + high * _TICK).replace(microsecond=0)


def window_on(profile: Profile, channel: Channel, day: date) -> Window | None:
    """Return the window of a channel on a local date of the patient.

    None on a weekday that the rules close, and on a date that the zone skips or all but skips
    (Pacific/Apia has no 2011-12-30). At a fold the window opens at the last occurrence of its
    hour and closes at the first, so that no clock reading in it lies outside the hours.
    """
    return _window(channel, profile.country, profile.state, profile.timezone, day)


@lru_cache(maxsize=65_536)
def _window(
    channel: Channel, country: str, state: str | None, timezone: str, day: date
) -> Window | None:
    hours = load_quiet_hours().week(channel, country, state)[day.weekday()]
    if hours is None:
        return None
    zone = zone_of(timezone)
    opens = resolve(datetime.combine(day, hours.opens), zone, last=True)
    closes = resolve(datetime.combine(day, hours.closes), zone)
    if closes - opens < SHORTEST / 2:
        return None
    return Window(opens, closes, closes - _SEND_MARGIN[channel])


def window_at(profile: Profile, channel: Channel, now: datetime) -> Window | None:
    """Return the window that holds an instant and still leaves time to send, or None."""
    window = window_on(profile, channel, local_date(profile, now))
    return window if window is not None and window.opens <= now <= window.last else None


def next_opening(profile: Profile, channel: Channel, after: datetime) -> datetime:
    """Return the first instant from `after` on at which a message may be begun."""
    day = local_date(profile, after)
    window = window_on(profile, channel, day)
    if window is not None and after <= window.last:
        return max(after, window.opens)
    return next_window(profile, channel, day + timedelta(days=1))[1].opens


def next_window(profile: Profile, channel: Channel, day: date) -> tuple[date, Window]:
    """Return the first date from `day` on that has a window, and the window."""
    for ahead in range(_LONGEST_CLOSED):
        window = window_on(profile, channel, day + timedelta(days=ahead))
        if window is not None:
            return day + timedelta(days=ahead), window
    raise ScheduleError(f"no window of {channel} opens in {profile.timezone} after {day}")


def channel_for(step: Step, profile: Profile) -> Channel | None:
    """Return the step's channel where the patient can be reached by it, else the other, or None."""
    if step.channel in profile.channels:
        return step.channel
    for channel in CHANNELS:
        if channel in profile.channels:
            return channel
    return None


def time_on(profile: Profile, channel: Channel, at: At, day: date) -> datetime | None:
    """Return when a time of day falls on a local date, moved into that date's window.

    A clock time before the window moves to its opening. A time after it, and a bedtime outside
    it on either side, moves to a minute that is the patient's own between 20:00 and 20:30, or in
    the hour before a stricter end: nobody is written to after they have gone to bed.
    None where the date has no window.
    """
    window = window_on(profile, channel, day)
    if window is None:
        return None
    if at.kind == "enrolment":
        return window.opens
    zone = zone_of(profile.timezone)
    wanted = resolve(_wanted(at, profile, day), zone)
    latest = window.closes - _PLAN_MARGIN
    if window.opens <= wanted <= latest:
        return wanted
    if at.kind == "clock" and wanted < window.opens:
        return window.opens
    hours = load_quiet_hours().week(channel, profile.country, profile.state)[day.weekday()]
    slot = resolve(_evening(hours, day) + _jitter(profile.jitter_key), zone) if hours else latest
    return min(max(slot, window.opens), latest)


def _wanted(at: At, profile: Profile, day: date) -> datetime:
    if at.kind == "clock":
        return datetime.combine(day, at.clock)
    evening = day + timedelta(days=1) if profile.bedtime < _NIGHT_ENDS else day
    bedtime = datetime.combine(evening, profile.bedtime)
    return bedtime - timedelta(minutes=at.minus_minutes)


def _evening(hours: Hours, day: date) -> datetime:
    hour_before = datetime.combine(day, hours.closes) - _SLOT
    return min(datetime.combine(day, _EVENING), hour_before)


@lru_cache(maxsize=4096)
def _jitter(key: str) -> timedelta:
    """Spread patients over half an hour; a digest, since `hash` differs between processes."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return timedelta(minutes=int.from_bytes(digest) % _SLOT_MINUTES)
