"""Whether one message outside of a series may go now, and if not, why and when it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from schedules.calendar import VALIDITY_MARGIN, Profile, local_date, window_on
from schedules.plan import Nights
from schedules.policy import DRIPS_A_WEEK
from schedules.reasons import Reason
from schedules.steps import Channel

_AHEAD: Final = 400
_DAY: Final = timedelta(days=1)
_SHORTEST: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Now:
    """It may: to be begun on the patient's local date `day`, before `until` (UTC)."""

    day: date
    until: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """It may not, for the reason given, before `at` (UTC); None where nothing reaches them."""

    reason: Reason
    at: datetime | None


def single(
    profile: Profile,
    channel: Channel,
    now: datetime,
    *,
    validity: timedelta,
    recent_drips: Sequence[date] = (),
    nights: Sequence[Nights] = (),
) -> Now | Later:
    """Return whether a message that staff send by hand may be begun now.

    It counts as the day's one drip, and the window and the caps are those of any other.

    Args:
        profile: The patient, with the channels that reach them.
        channel: By which it is to go.
        now: The business time, aware.
        validity: How long a provider may hold a text; the window outlives it by over a minute.
        recent_drips: As in `Standing`.
        nights: Of all their nightly series; those dates are theirs alone.
    """
    if channel not in profile.channels:
        return Later(Reason.NO_CHANNEL, None)
    today = local_date(profile, now)
    taken = _taken(today, recent_drips, nights)
    window = window_on(profile, channel, today)
    last = None if window is None else window.last
    if window is not None and channel == "sms":
        last = window.closes - validity - VALIDITY_MARGIN - _SHORTEST
    if taken is None and window is not None and last is not None and window.opens <= now < last:
        return Now(today, last)
    closed = window is None or last is None or now >= last
    first = today + _DAY if taken is not None or closed else today
    return Later(taken or Reason.QUIET_HOURS, _next(profile, channel, first, recent_drips, nights))


def _taken(day: date, recent: Sequence[date], nights: Sequence[Nights]) -> Reason | None:
    if any(each.first <= day <= each.last for each in nights):
        return Reason.NIGHTLY_FIRST
    # A date ahead of it is there after a move westward or a clock set back: it counts.
    if any(each >= day for each in recent):
        return Reason.DAILY_CAP
    if sum(each > day - 7 * _DAY for each in recent) >= DRIPS_A_WEEK:
        return Reason.WEEKLY_CAP
    return None


def _next(
    profile: Profile,
    channel: Channel,
    first: date,
    recent: Sequence[date],
    nights: Sequence[Nights],
) -> datetime | None:
    """Return when the first day opens that is free, as things stand."""
    for ahead in range(_AHEAD):
        day = first + ahead * _DAY
        window = window_on(profile, channel, day)
        if window is not None and _taken(day, recent, nights) is None:
            return window.opens
    return None
