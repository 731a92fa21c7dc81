"""The dead letters: deliveries that staff should look at, and those that may be tried again.

Parked and failed ones never reached the provider, or were refused by it; they may be tried again
while they are useful, within the hours, caps and suppressions of any message. What is unknown may
have arrived, and is only shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from schedules.delivery import RETRIABLE, State
from schedules.errors import ScheduleError
from schedules.policy import Skip, decide
from service.clock import BusinessClock, from_ms
from service.dispatch.reasons import sentence
from service.dispatch.standing import profile_of, series_of, standing_of
from service.errors import AftervisitError, NotFound
from service.store.dead_letters import DeadLetterStore, DeliveryId, Retry
from service.store.history import HistoryEntry
from service.store.patients import Patients
from service.store.records import PatientFields

_SENTENCES: dict[Retry, str] = {
    "ok": "It is tried again, at the next time that is right for the patient.",
    "pending": "It is to be tried again already.",
    "gone": "There is no such delivery any more.",
    "ended": "Nothing reaches the patient any more: each address is suppressed.",
    "forbidden": "Only what was set aside or refused is tried again; this may have arrived.",
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them.

    Attributes:
        id: ``patient.n.step``.
        series: its name, empty where the patient is gone.
        step: id of the step.
        at: when it was recorded (business), UTC.
        sentence: why, for staff.
        code: the provider's.
        retriable: whether it may be tried again at all.
    """

    id: DeliveryId
    series: str
    step: str
    message: str
    channel: str
    state: State
    reason: str
    sentence: str
    code: str
    at: datetime
    attempts: int
    retriable: bool


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of asking for one to be tried again.

    Attributes:
        outcome: ``retried``, ``pending`` (it was asked before) or ``refused``.
    """

    id: DeliveryId
    outcome: Literal["retried", "pending", "refused"]
    sentence: str


class DeadLetters:
    """The use cases behind ``dispatch dead-letters`` and ``dispatch retry``."""

    def __init__(self, store: DeadLetterStore, patients: Patients, business: BusinessClock) -> None:
        self._store = store
        self._patients = patients
        self._business = business

    def some(self, limit: int, patient: str | None = None) -> list[DeadLetter]:
        """Up to ``limit`` of them, oldest first; of one patient all.

        Raises:
            NotFound: there is no such patient.
            StoreUnavailable: the store does not answer.
        """
        if patient is not None:
            self._patients.load(patient)
        found = self._store.some(limit, () if patient is None else (patient,))
        histories: dict[str, dict[str, HistoryEntry]] = {}
        for one in found:
            if one.patient not in histories:
                entries = self._patients.history(one.patient)
                histories[one.patient] = {entry.field: entry for entry in entries}
        letters = [
            self._letter(one, entry)
            for one in found
            if (entry := histories[one.patient].get(one.field)) is not None
        ]
        return sorted(letters, key=lambda letter: letter.at)[: None if patient else limit]

    def _letter(self, one: DeliveryId, entry: HistoryEntry) -> DeadLetter:
        fields = self._patients.find(one.patient)
        subscription = fields.subscription(one.subscription) if fields else None
        step = entry.message
        if subscription is not None:
            try:
                step = series_of(subscription).steps[one.index].id
            except (ScheduleError, IndexError):
                step = entry.message  # that version of the series is not installed
        state = State.from_code(entry.state)
        return DeadLetter(
            id=one,
            series=subscription.series if subscription else "",
            step=step,
            message=entry.message,
            channel=entry.channel,
            state=state,
            reason=entry.reason,
            sentence=sentence(entry.reason),
            code=entry.code,
            at=from_ms(entry.at_ms),
            attempts=entry.attempts,
            retriable=state in RETRIABLE,
        )

    def retry(self, delivery: DeliveryId, *, source: str) -> Retried:
        """Have one tried again, if it is proven not to have arrived and is still useful.

        Raises:
            NotFound: there is no such patient.
            StoreUnavailable: ask again, it is idempotent.
        """
        fields = self._patients.load(delivery.patient)
        entries = self._patients.history(delivery.patient)
        states = {entry.field: State.from_code(entry.state) for entry in entries}
        if states.get(delivery.field) in RETRIABLE:
            useless = self._useless(delivery, fields)
            if useless is not None:
                return Retried(delivery, "refused", useless)
        answer = self._store.retry(delivery, source)
        if answer == "gone":
            raise NotFound(f"There is no delivery {delivery} that has ended.")
        if answer in {"ok", "pending"}:
            outcome: Literal["retried", "pending"] = "retried" if answer == "ok" else "pending"
            return Retried(delivery, outcome, _SENTENCES[answer])
        return Retried(delivery, "refused", _SENTENCES[answer])

    def retry_all(self, *, source: str, patient: str | None = None) -> Iterator[Retried]:
        """The same for each that may be tried again, of one patient or of all."""
        for letter in self.some(2**31, patient):
            if letter.retriable:
                yield self.retry(letter.id, source=source)

    def _useless(self, delivery: DeliveryId, fields: PatientFields) -> str | None:
        """Why the policy would pass it over now; None where it would not."""
        subscription = fields.subscription(delivery.subscription)
        if subscription is None:
            return None  # the store says so
        try:
            profile = profile_of(self._patients.contact(fields), fields.reachable())
            standing = replace(standing_of(fields, subscription, profile), index=delivery.index)
            decision = decide(standing, from_ms(self._business.now_ms()))
        except (ScheduleError, AftervisitError) as error:
            return str(error)
        return sentence(decision.reason) if isinstance(decision, Skip) else None
