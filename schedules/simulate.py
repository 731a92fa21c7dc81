"""Walk a patient through their series with a carrier that never fails: previews, forecasts, proofs.

It asks `decide` and does what the service does with the answers, with time as a list of instants.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from schedules.calendar import Profile, local_date
from schedules.catchup import REMEMBERED_DAYS
from schedules.plan import next_due, nights_of
from schedules.policy import Defer, Send, Skip, decide
from schedules.reasons import Reason
from schedules.standing import Standing
from schedules.steps import Channel, Series, Step

Interval = tuple[datetime, datetime]
"""From the first instant up to, but not at, the second; UTC."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A patient in a series, the step that comes next, and when this subscription is paused.

    `done` are later steps that they had in another version of the series.
    """

    series: Series
    start: date
    enrolled_at: datetime
    pauses: tuple[Interval, ...] = ()
    index: int = 0
    done: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """A step that went out, at `at` in UTC."""

    series: str
    index: int
    step: Step
    at: datetime
    channel: Channel
    validity_s: int | None
    closes: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that was passed over, at `at` in UTC, and why."""

    series: str
    index: int
    step: Step
    at: datetime
    reason: Reason


@dataclass(slots=True)
class _Cursor:
    enrolment: Enrolment
    asks_at: datetime
    score: datetime  # of two that are asked at once, the one that was due first goes first
    idle: list[Interval] = field(default_factory=list)
    index: int = 0


def simulate(
    profile: Profile,
    enrolments: Sequence[Enrolment],
    outages: Sequence[Interval] = (),
    *,
    since: datetime | None = None,
    recent: tuple[date, ...] = (),
) -> Iterator[Sent | Skipped]:
    """Yield what becomes of every step of a patient's subscriptions, in order of time.

    Args:
        profile: The patient.
        enrolments: Their subscriptions; of two asked at one instant the one due first goes first.
        outages: Intervals in which nothing is processed. They may overlap.
        since: Where the walk begins in the middle: nothing is asked before.
        recent: The patient's latest drips by then (see `Standing`).
    """
    cursors = []
    for enrolment in enrolments:
        index = enrolment.index
        due = next_due(enrolment.series, index, profile, enrolment.start, enrolment.enrolled_at)
        if due is not None:
            idle = sorted([*outages, *enrolment.pauses])
            first = due if since is None else max(due, since)
            cursors.append(_Cursor(enrolment, _resumed(first, idle), due, idle, index))
    while cursors:
        cursor = min(cursors, key=lambda each: (each.asks_at, each.score))
        now = cursor.asks_at
        outcome = _step(cursor, profile, enrolments, recent, now)
        if outcome is None:
            continue
        if isinstance(outcome, Sent) and outcome.step.kind == "drip":
            recent = (*recent, local_date(profile, now))[-REMEMBERED_DAYS:]
        yield outcome
        if not _go_on(cursor, profile, now):
            cursors.remove(cursor)


def _step(
    cursor: _Cursor,
    profile: Profile,
    enrolments: Sequence[Enrolment],
    recent: tuple[date, ...],
    now: datetime,
) -> Sent | Skipped | None:
    """Ask once; None where the answer is to ask again later."""
    enrolment = cursor.enrolment
    series, index = enrolment.series, cursor.index
    nights = tuple(
        found
        for other in enrolments
        if now >= other.enrolled_at and _resumed(now, other.pauses) == now
        if (found := nights_of(other.series, profile, other.start, other.enrolled_at))
    )
    standing = Standing(
        series=series,
        index=index,
        profile=profile,
        start=enrolment.start,
        enrolled_at=enrolment.enrolled_at,
        recent_drips=recent,
        nights=nights,
        done=enrolment.done,
    )
    match decide(standing, now):
        case Defer(until=until):
            cursor.asks_at, cursor.score = _resumed(until, cursor.idle), until
            return None
        case Skip(reason=reason):
            return Skipped(series.name, index, series.steps[index], now, reason)
        case Send(channel=channel, validity_s=validity_s, closes=closes):
            step = series.steps[index]
            return Sent(series.name, index, step, now, channel, validity_s, closes)


def _go_on(cursor: _Cursor, profile: Profile, now: datetime) -> bool:
    """Move to the next step; False where there is none."""
    cursor.index += 1
    enrolment = cursor.enrolment
    due = next_due(enrolment.series, cursor.index, profile, enrolment.start, enrolment.enrolled_at)
    if due is None:
        return False
    cursor.asks_at, cursor.score = _resumed(max(now, due), cursor.idle), due
    return True


def _resumed(instant: datetime, idle: Sequence[Interval]) -> datetime:
    """Return the instant, or the end of the idle intervals (sorted) that hold it."""
    for begins, ends in idle:
        if begins <= instant < ends:
            instant = ends
    return instant
