"""Apply a provider's receipt to the delivery it speaks of; in any order, any number of times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schedules.delivery import State
from service.carriers.base import Outcome, Receipt, ReceiptStatus, Result
from service.clock import BusinessClock
from service.dispatch.addresses import follow_carrier
from service.dispatch.parts import Stores
from service.dispatch.stops import Stops
from service.errors import ConfigurationError
from service.store.dispatching import AttemptRecord
from service.store.records import Again, Channel, Patient

STATES: Final = {
    ReceiptStatus.QUEUED: (State.SENT, 1),
    ReceiptStatus.SENT: (State.SENT, 2),
    ReceiptStatus.DELIVERED: (State.DELIVERED, 4),
    ReceiptStatus.FAILED: (State.UNDELIVERED, 4),
}
"""What each status records, and its rank: only a higher rank replaces a lower one."""
MAY_HAVE_ARRIVED: Final = (State.UNKNOWN, 3)
"""A failure that proves nothing (Twilio 30008): shown as unknown, never sent again, and open to
better evidence."""


LATER_MS: Final = 1_800_000
"""A phone that was switched off is seldom on a minute later: half an hour of business time."""


class Receipts:
    """Applies receipts, and draws their consequences for the address and the sender.

    Args:
        sender_of: the address that a patient's messages of a channel come from; it may raise
            ConfigurationError where there is none any more.
    """

    def __init__(
        self,
        stores: Stores,
        stops: Stops,
        sender_of: Callable[[Patient, Channel], str],
        business: BusinessClock,
    ) -> None:
        self._stores = stores
        self._stops = stops
        self._sender_of = sender_of
        self._business = business

    def apply(self, receipt: Receipt) -> bool:
        """Record a receipt; False where its attempt is not known (expired, or another message's).

        Raises:
            StoreUnavailable: not recorded; the provider is to try again.
        """
        attempt = self._stores.dispatch.attempt(receipt.attempt) if receipt.attempt else None
        if attempt is None or receipt.attempt is None or not _is_of(receipt, attempt):
            return False
        outcome = receipt.outcome
        patient = self._patient(attempt) if outcome is not None else None
        if outcome is not None and patient is not None and not self._is_of_another(attempt):
            # First of all: what is tried once more goes by the patient's other channel then.
            follow_carrier(self._stores, patient, attempt.channel, outcome)
        unproven = outcome is not None and outcome.result is Result.UNKNOWN
        state, rank = MAY_HAVE_ARRIVED if unproven else STATES[receipt.status]
        now_ms = self._business.now_ms()
        taken = self._stores.dispatch.receive(
            receipt.attempt,
            state.code,
            rank,
            receipt.provider_id,
            receipt.code,
            again=again_after(
                attempt, outcome, now_ms, other_channel=self._other_channel(attempt, outcome)
            ),
            now_ms=now_ms,
            certain=receipt.certain,
        )
        if taken == "gone":
            return False
        if outcome is not None:
            if patient is not None:
                self._refused(attempt, patient, outcome, first=taken == "moved")
        elif attempt.probe and receipt.status is not ReceiptStatus.QUEUED:
            self._stops.arrived(attempt.probe, begun_ms=attempt.begun_ms)
        return True

    def _patient(self, attempt: AttemptRecord) -> Patient | None:
        """To whom it went; None where they were erased meanwhile."""
        fields = self._stores.patients.find(attempt.patient)
        return None if fields is None else self._stores.patients.contact(fields)

    def _is_of_another(self, attempt: AttemptRecord) -> bool:
        """Whether the patient's address was corrected since: it says nothing of the one of now."""
        fields = self._stores.patients.find(attempt.patient)
        return fields is not None and attempt.begun_ms < fields.corrected_ms(attempt.channel)

    def _other_channel(self, attempt: AttemptRecord, outcome: Outcome | None) -> bool:
        """Whether a failure for the address's sake leaves the patient another channel."""
        if outcome is None or outcome.effect is None:
            return False
        fields = self._stores.patients.find(attempt.patient)
        return fields is not None and bool(fields.reachable() - {attempt.channel})

    def _refused(
        self, attempt: AttemptRecord, patient: Patient, outcome: Outcome, *, first: bool
    ) -> None:
        """What a failure means for its sender, also where an earlier copy was cut off here.

        Only what is counted is not counted again.
        """
        try:
            sender = self._sender_of(patient, attempt.channel)
        except ConfigurationError:
            return  # it has left the clinics file
        self._stops.refused(
            sender, attempt.channel, outcome, begun_ms=attempt.begun_ms, first=first
        )


def _is_of(receipt: Receipt, attempt: AttemptRecord) -> bool:
    if attempt.guessed and receipt.certain:
        return True
    return not attempt.provider_id or receipt.provider_id in {"", attempt.provider_id}


def again_after(
    attempt: AttemptRecord,
    outcome: Outcome | None,
    now_ms: int,
    *,
    other_channel: bool = False,
) -> Again | None:
    """What is to be tried once more after a failure that a receipt tells; None for nothing.

    A failure that the table of codes lets be tried later is, as often as that says in all (a
    phone that was switched off: once). What failed because its sender may not send is, without
    being counted: it waits until the sender may again, or until it is not useful any more. What
    failed for its address's sake goes by the patient's other channel, at once: the address is
    suppressed by then, so that no delivery comes back to it.

    Args:
        attempt: the one that failed for good.
        outcome: what the receipt means; None where it tells no failure.
        now_ms: business ms UTC.
        other_channel: the address failed, and another channel reaches the patient.
    """
    if other_channel:
        return Again(
            index=attempt.index,
            was=State.UNDELIVERED.code,
            attempts=attempt.attempts + 1,
            failures=attempt.failures,
            from_ms=now_ms,
        )
    if outcome is None or outcome.result not in {Result.TRANSIENT, Result.STOPPED}:
        return None
    failures = attempt.failures + int(outcome.result is Result.TRANSIENT)
    most = 1 if outcome.later_attempts is None else outcome.later_attempts
    if failures > most:
        return None
    return Again(
        index=attempt.index,
        was=State.UNDELIVERED.code,
        attempts=attempt.attempts + 1,
        failures=failures,
        from_ms=now_ms + LATER_MS,
    )
