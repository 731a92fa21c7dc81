"""Where one subscription would come to stand in another version of its series, from its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schedules.delivery import State
from schedules.moving import Move, Underway, plan_move
from schedules.reasons import Reason
from schedules.series import Series
from schedules.simulate import Enrolment
from service.clock import from_ms, to_ms
from service.dispatch.standing import profile_of, series_of
from service.reporting.backlog import Outlook, enrolment_of, enrolments_of, walk
from service.store.history import HistoryEntry
from service.store.moving import Moving
from service.store.records import Patient, PatientFields, Subscription


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions of a migration."""

    old: Series
    new: Series


@dataclass(frozen=True, slots=True)
class Planned:
    """One subscription with what its move comes to.

    Attributes:
        moving: for the store.
        move: for people.
    """

    moving: Moving
    move: Move
    patient: Patient


def planned(
    fields: PatientFields,
    subscription: Subscription,
    patient: Patient,
    history: Sequence[HistoryEntry],
    versions: Versions,
    now_ms: int,
) -> Planned:
    """Plan the move of one subscription.

    Args:
        fields: the patient's record, as read.
        subscription: theirs to the older version.
        patient: the same, decrypted.
        history: the patient's, of any subscription.
        versions: from which to which.
        now_ms: business ms UTC.
    """
    # Where nothing reaches them now, times are those of the channels that they agreed to.
    channels = fields.reachable() or frozenset(patient.channels)
    passed = {
        entry.index
        for entry in history
        if entry.subscription == subscription.number
        and entry.state == State.SKIPPED.code
        and entry.reason != Reason.DONE_BEFORE
    }
    earlier = _earlier(fields, subscription)
    underway = Underway(
        index=subscription.index,
        start=subscription.start,
        enrolled_at=from_ms(subscription.enrolled_ms),
        passed=passed,
        done=subscription.done,
        before=[(series_of(each), _attempted(each, history)) for each in earlier],
    )
    profile = profile_of(patient, channels)
    move = plan_move(versions.old, versions.new, underway, profile, from_ms(now_ms))
    moving = Moving(
        fields=fields,
        subscription=subscription,
        version=versions.new.version,
        index=move.index,
        attempts=subscription.attempts if move.same else 0,
        failures=subscription.failures if move.same else 0,
        done=move.done,
        due_ms=now_ms if move.due is None else to_ms(move.due),
        end=len(versions.old.steps),
    )
    return Planned(moving, move, patient)


def _earlier(fields: PatientFields, subscription: Subscription) -> list[Subscription]:
    """What a subscription went on from, in other versions, the latest first."""
    before = {each.moved_to: each for each in fields.subscriptions() if each.moved_to}
    found: list[Subscription] = []
    while (known := before.get((found or [subscription])[-1].number)) is not None:
        found.append(known)
    return found


def _attempted(subscription: Subscription, history: Sequence[HistoryEntry]) -> set[int]:
    """Steps that a subscription did not only pass over."""
    return {
        entry.index
        for entry in history
        if entry.subscription == subscription.number and entry.state != State.SKIPPED.code
    }


def late(found: Planned, versions: Versions, now_ms: int) -> Outlook:
    """What becomes of the steps whose time has passed, by the newer version's catch-up policy."""
    moving = found.moving
    old = moving.subscription
    others = [each for each in enrolments_of(moving.fields) if each.series is not versions.old]
    moved: Enrolment = replace(
        enrolment_of(old), series=versions.new, index=moving.index, done=frozenset(moving.done)
    )
    steps = {
        (0, place)
        for place in range(moving.index, len(versions.new.steps))
        if versions.new.steps[place].id in found.move.late
    }
    outlook = Outlook()
    profile = profile_of(found.patient, moving.fields.reachable())
    walk(profile, [moved, *others], moving.fields, steps, from_ms(now_ms), outlook)
    return outlook
