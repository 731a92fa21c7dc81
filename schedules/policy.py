"""Decide what becomes of a due step now: send it, wait, or pass it over. The heart of the service.

Order of the questions: may the patient be reached, is it time, is it still wanted (catch-up
policy, expiry), has the patient had their message today, and is the window open.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from schedules.calendar import (
    VALIDITY_MARGIN,
    channel_for,
    local_date,
    next_window,
    window_on,
)
from schedules.catchup import expiry, refusal
from schedules.plan import Planned, due_on
from schedules.reasons import Reason
from schedules.standing import Standing
from schedules.steps import Channel

__all__ = ["Defer", "Send", "Skip", "Standing", "decide"]

MAX_VALIDITY_S: Final = 4 * 3600
"""The longest a provider may hold a text, seconds (Twilio's own default is 10 hours)."""

DRIPS_A_WEEK: Final = 7
"""Drip messages a patient gets in any seven local days, over all series (ARCHITECTURE, "Time")."""

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Send:
    """Send the step now, by `channel`.

    `validity_s` is how long the provider may try, in seconds (None for e-mail); `closes` is the
    end of the window in UTC: `closes` > begin + `validity_s` + 60 s must still hold at the begin.
    `due` is when the step was planned for, in UTC.
    """

    index: int
    channel: Channel
    validity_s: int | None
    closes: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Defer:
    """Ask again at `until` (UTC, always later than now), for the reason given."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skip:
    """Pass the step over for good, for the reason given, and go on with the next."""

    reason: Reason


def decide(standing: Standing, now: datetime) -> Send | Defer | Skip:
    """Return what to do with the step at which a subscription stands.

    The same standing and time always give the same decision. A deferral looks no further than
    the patient's next open day, so that a change in another series is noticed within one.

    Args:
        standing: The subscription, the patient's profile and their latest drips.
        now: The business time, aware.

    Raises:
        ScheduleError: The series has no such step: the subscription is complete.
    """
    planned = standing.planned(standing.index)
    if channel_for(planned.step, standing.profile) is None:
        return Skip(Reason.NO_CHANNEL)
    if now < planned.due:
        return Defer(planned.due, Reason.NOT_DUE)
    today = local_date(standing.profile, now)
    refused = _spared(standing, planned) or refusal(standing, planned, now, today)
    if refused is not None:
        return Skip(refused)
    taken = _taken(standing, planned, today)
    if taken is not None:
        return _wait(standing, planned, today, taken)
    return _place(standing, planned, now, today)


def _spared(standing: Standing, planned: Planned) -> Reason | None:
    """Return why the patient is not to have a step at any time, or None where they are."""
    if planned.index in standing.done:
        return Reason.DONE_BEFORE
    step = planned.step
    return Reason.SPARED if step.unless is not None and step.unless is standing.trend else None


def _place(standing: Standing, planned: Planned, now: datetime, today: date) -> Send | Defer | Skip:
    """Send in today's window at the step's time or after it; else wait for that."""
    window = window_on(standing.profile, planned.channel, today)
    if window is None or now > window.last:
        return _wait(standing, planned, today, Reason.QUIET_HOURS)
    slot = max(window.opens, _own_time(standing, planned, today))
    if now < slot:
        early = now < window.opens
        return _until(standing, planned, slot, Reason.QUIET_HOURS if early else Reason.CATCHING_UP)
    validity_s = _validity(planned.channel, window.closes - now)
    return Send(standing.index, planned.channel, validity_s, window.closes, planned.due)


def _taken(standing: Standing, planned: Planned, today: date) -> Reason | None:
    """Return why no drip of this series may go today, or None where one may."""
    if planned.step.kind != "drip":
        return None
    if standing.is_held(today):
        return Reason.NIGHTLY_FIRST
    recent = standing.recent_drips
    # A date ahead of today is there after a move westward or a clock set back: it counts.
    if any(day >= today for day in recent):
        return Reason.DAILY_CAP
    if sum(day > today - _WEEK for day in recent) >= DRIPS_A_WEEK:
        return Reason.WEEKLY_CAP
    return None


def _own_time(standing: Standing, planned: Planned, day: date) -> datetime:
    """Return when the step may go on a day: a drip at its time of day, service at any time."""
    if planned.step.kind != "drip":
        return planned.due
    if day == planned.local.date():
        return planned.due
    return due_on(planned.step, planned.channel, standing.profile, day)


def _wait(standing: Standing, planned: Planned, today: date, reason: Reason) -> Defer | Skip:
    """Defer to the step's time on the next day that has a window and is not taken already."""
    day = max([today, *standing.recent_drips]) if reason is Reason.DAILY_CAP else today
    day, window = next_window(standing.profile, planned.channel, day + _DAY)
    return _until(standing, planned, max(window.opens, _own_time(standing, planned, day)), reason)


def _until(standing: Standing, planned: Planned, slot: datetime, reason: Reason) -> Defer | Skip:
    """Defer to an instant, unless the step is no longer useful by then."""
    if slot < expiry(standing, planned, local_date(standing.profile, slot)):
        return Defer(slot, reason)
    crowded = reason in {Reason.DAILY_CAP, Reason.WEEKLY_CAP}
    return Skip(Reason.CROWDED_OUT if crowded else Reason.EXPIRED)


def _validity(channel: Channel, left: timedelta) -> int | None:
    """Return the seconds a provider may hold a text; the window outlives them by over a minute."""
    if channel == "email":
        return None
    return min(MAX_VALIDITY_S, int((left - VALIDITY_MARGIN).total_seconds()) - 1)
