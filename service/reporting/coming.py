"""What is still to come for a subscription, or would be: planned, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from schedules.calendar import Profile, zone_of
from schedules.plan import Planned
from schedules.policy import Defer, Skip, Standing, decide
from schedules.reasons import Reason
from service.clock import from_ms
from service.dispatch.standing import standing_of
from service.reporting.lines import NOT_SENT, PLANNED, Line, standing_sentence
from service.store.records import FlightState, PatientFields, Status, Subscription

_ENDED = {Status.OPTED_OUT: "opted_out", Status.UNREACHABLE: "unreachable"}
_OVER = frozenset({Status.COMPLETED, Status.MOVED})
_WAITING = {Status.PAUSED: "paused", Status.PENDING: "pending"}

_IN_FLIGHT = {
    FlightState.CLAIMED: ("claimed", "under_way", 0),
    FlightState.RETRY: ("pending", "retry", 0),
    FlightState.BEGUN: ("begun", "in_question", 1),
    FlightState.IN_QUESTION: ("begun", "in_question", 1),
}
"""Flight state -> outcome, reason, and the attempt that it has begun but not counted yet."""
_BEGUN = frozenset({FlightState.BEGUN, FlightState.IN_QUESTION})
"""A provider may have it, whatever has become of the subscription since."""


@dataclass(frozen=True, slots=True)
class _Outlook:
    """A word and a reason for a step that has no outcome yet."""

    outcome: str
    reason: str | None
    expected: datetime | None = None
    attempts: int = 0


def coming(
    fields: PatientFields, subscription: Subscription, profile: Profile, now: datetime
) -> Iterator[Line]:
    """The steps from the cursor on, in order; nothing for one that is over.

    Args:
        fields: the patient's whole record, whose other subscriptions may go first.
        subscription: one of theirs.
        profile: with the channels that reach the patient now, or the consented ones if none does.
        now: business time, UTC.

    Raises:
        SeriesError: the version of the series is not installed.
    """
    if subscription.status in _OVER:
        return
    standing = standing_of(fields, subscription, profile)
    for index in range(subscription.index, len(standing.series.steps)):
        planned = standing.planned(index)
        at = replace(standing, index=index)
        yield _line(subscription, profile, planned, _outlook(subscription, at, planned, now))


def _outlook(
    subscription: Subscription, standing: Standing, planned: Planned, now: datetime
) -> _Outlook:
    ended = _ENDED.get(subscription.status)
    if ended is not None:
        begun = subscription.flight is not None and subscription.flight.state in _BEGUN
        if begun and planned.index == subscription.index:
            return _current(subscription, standing, now)
        return _Outlook(NOT_SENT, ended)
    if planned.index in subscription.done:
        return _Outlook(NOT_SENT, Reason.DONE_BEFORE)
    if subscription.status in _WAITING:
        return _waiting(subscription, planned)
    if planned.index == subscription.index:
        return _current(subscription, standing, now)
    return _later(standing, planned, now)


def _later(standing: Standing, planned: Planned, now: datetime) -> _Outlook:
    """A step behind the one at the cursor."""
    if planned.step.kind == "drip" and standing.is_held(planned.local.date()):
        return _Outlook(PLANNED, Reason.NIGHTLY_FIRST)
    return _Outlook(PLANNED, "waits_its_turn" if planned.due <= now else None)


def _waiting(subscription: Subscription, planned: Planned) -> _Outlook:
    """A step that waits for its subscription, for somebody or until a day."""
    if subscription.status is not Status.PAUSED or subscription.until_ms is None:
        return _Outlook(PLANNED, _WAITING[subscription.status])
    until = from_ms(subscription.until_ms)
    return _Outlook(PLANNED, "paused_until", until if planned.due < until else None)


def _current(subscription: Subscription, standing: Standing, now: datetime) -> _Outlook:
    """The step at the cursor: in flight, or as the policy would decide now."""
    tried = subscription.attempts
    if subscription.flight is not None:
        outcome, reason, begun = _IN_FLIGHT[subscription.flight.state]
        return _Outlook(outcome, reason, attempts=tried + begun)
    match decide(standing, now):
        case Defer(_, Reason.NOT_DUE):
            return _Outlook(PLANNED, None, attempts=tried)
        case Defer(until, reason):
            return _Outlook(PLANNED, reason, until, attempts=tried)
        case Skip(reason):
            return _Outlook(NOT_SENT, reason, attempts=tried)
    return _Outlook(PLANNED, "due_now", attempts=tried)


def _line(
    subscription: Subscription, profile: Profile, planned: Planned, outlook: _Outlook
) -> Line:
    reason = None if outlook.reason is None else str(outlook.reason)
    expected = outlook.expected
    return Line(
        subscription=subscription.id,
        series=subscription.series,
        due=planned.local,
        step=planned.step.id,
        message=planned.step.message,
        channel=planned.channel,
        outcome=outlook.outcome,
        reason=reason,
        sentence=standing_sentence(reason) if reason else "",
        attempts=outlook.attempts,
        expected=expected and expected.astimezone(zone_of(profile.timezone)),
    )
