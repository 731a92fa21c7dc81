"""The dead letters: deliveries that staff should look at, and those that may be tried again.

Parked and failed ones never reached the provider, or were refused by it; they may be tried again
while they are useful, within the hours, caps and suppressions of any message. What is unknown may
have arrived, and is only shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

import structlog

from schedules.delivery import RETRIABLE, State
from schedules.errors import ScheduleError
from schedules.policy import Skip, decide
from service.clock import BusinessClock, from_ms
from service.dispatch.reasons import sentence
from service.dispatch.standing import profile_of, series_of, standing_of
from service.errors import AftervisitError, NotFound
from service.store.dead_letters import DeadLetterStore, DeliveryId, LetterPlace, Retry
from service.store.history import HistoryEntry
from service.store.keyring import KeyMissing, Tampered
from service.store.patients import Patients
from service.store.records import Patient, PatientFields

log = structlog.get_logger(__name__)

AT_ONCE: Final = 60
"""So many are read in one round trip."""
LOOKED_AT: Final = 300
"""A page looks at so many to find those of a clinic, and then leaves the rest to the next."""

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
class Addressed:
    """A dead letter with whom it was for."""

    letter: DeadLetter
    patient: Patient


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Some dead letters, the newest first.

    Attributes:
        further: before which one the next page goes on; None where this is the last.
        all: how many there are, of every clinic.
    """

    letters: tuple[Addressed, ...]
    further: LetterPlace | None
    all: int


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
            self._letter(one, entry, self._patients.find(one.patient))
            for one in found
            if (entry := histories[one.patient].get(one.field)) is not None
        ]
        return sorted(letters, key=lambda letter: letter.at)[: None if patient else limit]

    def page(
        self, clinics: Collection[str], *, limit: int, before: LetterPlace | None = None
    ) -> LetterPage:
        """A page of them, the newest first; of a clinic's that stand far apart it may be short.

        Args:
            clinics: whose patients'; empty: of every clinic.
            limit: how many.
            before: which one the page before this ended with; None for the first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found: list[Addressed] = []
        looked, place, further = 0, before, None
        at_once = AT_ONCE if clinics else limit + 1
        while looked < LOOKED_AT and further is None:
            places = self._store.newest(at_once, place)
            for each, addressed in zip(places, self._addressed(places), strict=True):
                if len(found) == limit:
                    further = place
                    break
                place = each
                if addressed is not None and (not clinics or addressed.patient.clinic in clinics):
                    found.append(addressed)
            looked += len(places)
            if len(places) < at_once:
                return LetterPage(tuple(found), further, self._store.count())
        return LetterPage(tuple(found), place, self._store.count())

    def _addressed(self, places: Sequence[LetterPlace]) -> Iterator[Addressed | None]:
        """Each with its patient, decrypted as it is asked for; None where it cannot be read."""
        ids = [DeliveryId.parse(place.delivery) for place in places]
        known = [one for one in ids if one is not None]
        names = list(dict.fromkeys(one.patient for one in known))
        records = dict(zip(names, self._patients.load_many(names), strict=True))
        histories = dict(zip(names, self._patients.histories(names), strict=True))
        for one in ids:
            fields = records[one.patient] if one else None
            if one is None or fields is None or not fields.exists:
                yield None
                continue
            entry = next((e for e in histories[one.patient] if e.field == one.field), None)
            patient = self._readable(fields)
            if entry is None or patient is None:
                yield None
            else:
                yield Addressed(self._letter(one, entry, fields), patient)

    def _readable(self, fields: PatientFields) -> Patient | None:
        try:
            return self._patients.contact(fields)
        except (KeyMissing, Tampered) as error:
            log.error("patient_unreadable", patient=fields.id, fault=str(error))
            return None

    def _letter(
        self, one: DeliveryId, entry: HistoryEntry, fields: PatientFields | None
    ) -> DeadLetter:
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
