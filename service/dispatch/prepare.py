"""From a claim to a message that may be begun, or to where the claim goes instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, TypedDict, Unpack

import structlog

from messages.errors import ContentError
from schedules.calendar import VALIDITY_MARGIN, Profile, local_date
from schedules.delivery import State
from schedules.errors import ScheduleError
from schedules.policy import Defer, Send, Skip, decide
from service.carriers.base import Outcome, OutgoingEmail, OutgoingText
from service.clock import BusinessClock, MachineClock, from_ms, to_ms
from service.dispatch.compose import Composer, Delivery
from service.dispatch.senders import Sender
from service.dispatch.standing import due_after, profile_of, series_of, standing_of
from service.dispatch.turns import following_ms, is_deferred, later_ms, no_later_than, turns
from service.errors import AftervisitError, StoreUnavailable
from service.store.flights import Conclusion, Where
from service.store.history import HistoryEntry
from service.store.patients import Patients
from service.store.records import Again, Channel, Claimed, Patient, Subscription

log = structlog.get_logger(__name__)

POISON_LEASES = 3
"""Once in company and twice alone: a delivery that then runs out once more is parked, unbegun."""
LOOK_AGAIN_MS = 60_000
"""What cannot even be read (a missing key, a missing series file) is looked at again after this."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that may be begun.

    Attributes:
        cap_day: ordinal of the local day a drip counts for; None for service messages.
        following_ms: when the subscription is due after it, business ms UTC; None for never.
            Known before anything is begun, so that no fault in it can hit what was sent.
        begin_by_ms: business ms UTC after which the patient's window no longer holds it.
        due_ms: when its step was planned for, business ms UTC.
        probe: its sender is stopped, and this one message tries whether it works again.
    """

    claimed: Claimed
    patient: Patient
    profile: Profile
    delivery: Delivery
    outgoing: OutgoingText | OutgoingEmail
    sender: Sender
    cap_day: int | None
    following_ms: int | None
    begin_by_ms: int
    due_ms: int
    probe: bool = False


class Preparer:
    """Decides and renders claims; what cannot go says where it goes instead."""

    def __init__(
        self,
        patients: Patients,
        composer: Composer,
        business: BusinessClock,
        machine: MachineClock,
    ) -> None:
        self._patients = patients
        self._composer = composer
        self._business = business
        self._machine = machine

    def prepare(self, claim: Claimed) -> Ready | Conclusion:
        """Judge one claim; never raises for what is wrong with that one delivery.

        Raises:
            StoreUnavailable: it did not answer.
        """
        try:
            return self._judged(claim)
        except StoreUnavailable:
            raise
        except (AftervisitError, ScheduleError) as error:
            return self._wait(claim, str(error))
        except Exception as error:  # noqa: BLE001 - one delivery must not hold up the others
            # Its text may hold what the message was made of, and is not told.
            return self._wait(claim, type(error).__name__)

    def _judged(self, claim: Claimed) -> Ready | Conclusion:
        patient = self._patients.contact(claim.fields)
        profile = profile_of(patient, claim.fields.reachable())
        now_ms = self._business.now_ms()
        put_off = later_ms(claim, now_ms)
        *behind, at_cursor = turns(claim, now_ms)
        for turn in behind:
            found = self._turn(turn, patient, profile)
            if isinstance(found, Ready) or not is_deferred(found):
                return found
            put_off.append(found.when_ms)
        found = self._turn(at_cursor, patient, profile)
        return found if isinstance(found, Ready) else no_later_than(found, put_off)

    def _turn(self, claim: Claimed, patient: Patient, profile: Profile) -> Ready | Conclusion:
        series_of(claim.subscription)
        if claim.subscription.lost_leases >= POISON_LEASES:
            return self._park(claim, profile, "poison")
        try:
            return self._decided(claim, patient, profile)
        except ContentError as error:
            log.error("template_fault", subscription=claim.subscription.id, fault=str(error))
            return self._park(claim, profile, "template")

    def _wait(self, claim: Claimed, fault: str) -> Conclusion:
        """Hold a claim until the missing key, file or sender is there; nothing of it is lost."""
        log.error("not_configured", subscription=claim.subscription.id, fault=fault)
        return conclusion(claim, "hold", when_ms=self._machine.now_ms() + LOOK_AGAIN_MS)

    def _decided(self, claim: Claimed, patient: Patient, profile: Profile) -> Ready | Conclusion:
        subscription = claim.subscription
        if subscription.index >= len(series_of(subscription).steps):
            return conclusion(claim, "end")
        now_ms = self._business.now_ms()
        decision = decide(standing_of(claim.fields, subscription, profile), from_ms(now_ms))
        if isinstance(decision, Defer):
            return conclusion(claim, "due", when_ms=to_ms(decision.until))
        if isinstance(decision, Skip):
            return self._skipped(claim, profile, decision, now_ms)
        return self._ready(claim, patient, profile, decision, now_ms)

    def _skipped(self, claim: Claimed, profile: Profile, decision: Skip, now_ms: int) -> Conclusion:
        """Pass it over; what was refused before stays what the provider said."""
        again = claim.subscription.again
        refused = again is not None and again.was != State.PARKED.code
        state = State.from_code(again.was) if again and refused else State.SKIPPED
        entry = entry_of(claim.subscription, profile, state, decision.reason, now_ms)
        return onwards(claim, entry, following_ms(claim, profile))

    def _ready(
        self, claim: Claimed, patient: Patient, profile: Profile, decision: Send, now_ms: int
    ) -> Ready:
        series = series_of(claim.subscription)
        step = series.steps[decision.index]
        delivery = Delivery(
            patient=patient,
            subscription=claim.subscription,
            series=series,
            message=step.message,
            channel=decision.channel,
            attempt=self._patients.new_attempt(patient.id),
            at_ms=now_ms,
            validity_s=decision.validity_s,
            links_ended=claim.fields.links_ended,
        )
        compose = self._composer.text if decision.channel == "sms" else self._composer.email
        day = local_date(profile, from_ms(now_ms)).toordinal() if step.kind == "drip" else None
        sender = self._composer.sender(patient, decision.channel)
        begin_by = decision.closes
        if decision.validity_s is not None:
            begin_by -= timedelta(seconds=decision.validity_s) + VALIDITY_MARGIN
        return Ready(
            claimed=claim,
            patient=patient,
            profile=profile,
            delivery=delivery,
            outgoing=compose(delivery),
            sender=sender,
            cap_day=day,
            following_ms=following_ms(claim, profile),
            begin_by_ms=to_ms(begin_by) - 1,
            due_ms=to_ms(decision.due),
        )

    def _park(self, claim: Claimed, profile: Profile, reason: str) -> Conclusion:
        """Set one delivery aside with its reason; the series goes on."""
        log.error("parked", subscription=claim.subscription.id, reason=reason)
        now_ms = self._business.now_ms()
        parked = entry_of(claim.subscription, profile, State.PARKED, reason, now_ms)
        return onwards(claim, parked, following_ms(claim, profile))


def entry_of(
    subscription: Subscription,
    profile: Profile,
    state: State,
    reason: str,
    now_ms: int,
    *,
    channel: Channel | Literal[""] = "",
    attempts: int | None = None,
    outcome: Outcome | None = None,
    due_ms: int | None = None,
) -> HistoryEntry:
    """The history entry of a subscription's present step; its due time is the planned one.

    Args:
        subscription: at that step.
        profile: the patient's, to plan with.
        state: what it ended as.
        reason: a word of ours.
        now_ms: business ms UTC.
        channel: empty where none was chosen.
        attempts: calls made; by default those on record.
        outcome: the carrier's answer.
        due_ms: where it has been planned already.
    """
    step = series_of(subscription).steps[subscription.index]
    if due_ms is None:
        due_ms = due_after(subscription, subscription.index, profile)
    return HistoryEntry(
        subscription=subscription.number,
        index=subscription.index,
        state=state.code,
        message=step.message,
        channel=channel,
        due_ms=due_ms or 0,
        at_ms=now_ms,
        attempts=subscription.attempts if attempts is None else attempts,
        reason=str(reason),
        code=_packable(outcome.code) if outcome else "",
        provider_id=_packable(outcome.provider_id) if outcome else "",
    )


def _packable(text: str | None) -> str:
    return (text or "").replace("|", " ")[:64]


class Details(TypedDict, total=False):
    """What else a conclusion may tell; see ``Conclusion``."""

    expects: Literal["c", "bq"]
    cursor: tuple[int, int, int]
    again: Again
    attempt: str
    frees_day: bool
    provider_id: str


def onwards(
    claim: Claimed, entry: HistoryEntry, due_ms: int | None, **details: Unpack[Details]
) -> Conclusion:
    """Record an entry and go on to what comes next, due at ``due_ms``; None ends the series."""
    again = claim.subscription.again
    if again is not None:  # beside the cursor, which stays where it is
        details["again"] = again
    else:
        details["cursor"] = (claim.subscription.index + 1, 0, 0)
    where: Where = "end" if due_ms is None else "due"
    return conclusion(claim, where, when_ms=due_ms or 0, entry=entry, **details)


def tried(
    claim: Claimed,
    where: Where,
    *,
    when_ms: int,
    attempts: int,
    failures: int,
    **details: Unpack[Details],
) -> Conclusion:
    """End a claim without an outcome, with what was tried of its delivery so far."""
    again = claim.subscription.again
    if again is not None:
        details["again"] = replace(again, attempts=attempts, failures=failures)
    else:
        details["cursor"] = (claim.subscription.index, attempts, failures)
    return conclusion(claim, where, when_ms=when_ms, **details)


def conclusion(
    claim: Claimed,
    where: Where,
    *,
    when_ms: int = 0,
    entry: HistoryEntry | None = None,
    **details: Unpack[Details],
) -> Conclusion:
    """End a claim: one that was not begun, recording nothing, where no details say otherwise."""
    details.setdefault("expects", "c")
    return Conclusion(
        subscription=claim.subscription.id,
        token=claim.token,
        where=where,
        when_ms=when_ms,
        entry=entry,
        **details,
    )
