"""When each step of a subscription is due, from its dates alone: no state, no clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from schedules.calendar import (
    Profile,
    channel_for,
    local_date,
    next_opening,
    next_window,
    resolve,
    time_on,
    zone_of,
)
from schedules.errors import ScheduleError
from schedules.steps import Channel, Series, Step


@dataclass(frozen=True, slots=True)
class Planned:
    """A step with its time: `due` and `expires` in UTC, `local` is `due` on the patient's clock.

    `channel` is the one it would go by today; the preferred one where the patient has none.
    """

    index: int
    step: Step
    channel: Channel
    due: datetime
    local: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Nights:
    """The local dates, both included, on which a nightly series has the patient's day."""

    first: date
    last: date


def anchor_of(profile: Profile, start: date, enrolled_at: datetime) -> date:
    """Return the date from which days count: the start, or the local date of a later enrolment."""
    return max(start, local_date(profile, enrolled_at))


def plan_step(
    series: Series, index: int, profile: Profile, start: date, enrolled_at: datetime
) -> Planned:
    """Return when one step is due, without planning the others.

    A step "at enrolment" is due when the patient joins, or when the window next opens. Any other
    is due at its time on its day; on a date without a window, at that time on the next date with
    one, where it may meet the next step: the order of the steps decides, and the cap keeps them
    a day apart.
    Where its time lies before the enrolment, it is due at the enrolment: late from the start if
    the day's window is over, and then subject to the series' catch-up policy like any other.

    Raises:
        ScheduleError: The series has no such step.
    """
    if not 0 <= index < len(series.steps):
        raise ScheduleError(
            f"series {series.name!r} has no step {index}: it is complete after {len(series.steps)}"
        )
    step = series.steps[index]
    channel = channel_for(step, profile) or step.channel
    day = anchor_of(profile, start, enrolled_at) + timedelta(days=step.day)
    if step.at.kind == "enrolment":
        midnight = resolve(datetime.combine(day, time(0)), zone_of(profile.timezone))
        due = next_opening(profile, channel, max(midnight, enrolled_at))
    else:
        due = max(due_on(step, channel, profile, day), enrolled_at)
    local = due.astimezone(zone_of(profile.timezone))
    return Planned(index, step, channel, due.astimezone(UTC), local, due + step.expires_after)


def due_on(step: Step, channel: Channel, profile: Profile, day: date) -> datetime:
    """Return the step's own time on a date, or on the first date after it that has a window."""
    due = time_on(profile, channel, step.at, day)
    if due is None:
        day, window = next_window(profile, channel, day)
        due = time_on(profile, channel, step.at, day) or window.opens
    return due


def plan(
    series: Series, profile: Profile, start: date, enrolled_at: datetime
) -> tuple[Planned, ...]:
    """Return every step of a series with its time, in the order in which they go."""
    return tuple(
        plan_step(series, index, profile, start, enrolled_at) for index in range(len(series.steps))
    )


def next_due(
    series: Series, index: int, profile: Profile, start: date, enrolled_at: datetime
) -> datetime | None:
    """Return when a step is due (it may be past), or None where the series is complete."""
    if index >= len(series.steps):
        return None
    return plan_step(series, index, profile, start, enrolled_at).due


def nights_of(
    series: Series, profile: Profile, start: date, enrolled_at: datetime
) -> Nights | None:
    """Return the dates that a nightly series has for itself; None for any other series."""
    days = [step.day for step in series.steps if step.kind == "drip"]
    if not series.nightly or not days:
        return None
    anchor = anchor_of(profile, start, enrolled_at)
    return Nights(anchor + timedelta(days=days[0]), anchor + timedelta(days=days[-1]))
