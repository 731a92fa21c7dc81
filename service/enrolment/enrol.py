"""Enrol a patient in a series: evidence first, then everything or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from messages.catalog import Catalog
from schedules.calendar import local_date
from schedules.plan import next_due
from schedules.series import Series
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms, to_ms
from service.dispatch.standing import profile_of
from service.enrolment.form import EnrolmentForm, ValidForm, validate
from service.enrolment.known import Acquaintances, Known
from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.store.patients import Patients, ToEnrol
from service.store.records import (
    CHANNELS,
    Channel,
    Patient,
    Status,
    pack_subscription,
)
from service.store.suppressions import Suppressions

TRIES = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """What enrolling made.

    Attributes:
        patient: their id.
        subscription: ``patient.n``.
        new_patient: False where a known patient got a further series.
        status: ``active``, or ``opted_out`` where every address is suppressed.
        suppressed: channels that will stay silent, since the address has opted out before.
    """

    patient: str
    subscription: str
    new_patient: bool
    status: Status
    suppressed: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """That the one address of a form is the person's own.

    With it a person is known by that address and their name alone (who told no name, by being the
    only one there), and what is on record of them stays.

    Attributes:
        evidence: kept with the consent; names from ``patients.EVIDENCE``.
    """

    channel: Channel
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A form that was checked, and who uses its addresses.

    Attributes:
        digests: keyed hashes of its addresses.
        known: the patients at any of them.
        proof: where the person enrols themselves.
        evidence: kept with the consent beside what the form tells; names from
            ``patients.EVIDENCE``.
    """

    valid: ValidForm
    digests: Mapping[Channel, str]
    known: tuple[Known, ...]
    proof: Proof | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)


class AlreadyEnrolled(InvalidInput):
    """The patient is in that series.

    Attributes:
        patient: their id.
        subscription: ``patient.n``.
    """

    def __init__(self, patient: str, number: int, series: str) -> None:
        self.patient = patient
        self.subscription = f"{patient}.{number}"
        super().__init__(
            "series",
            "already_enrolled",
            f"This patient is in {series} already, as {self.subscription}; stop that one first.",
        )


class Enrolment:
    """The use case behind the command, the form, the import and the API."""

    def __init__(
        self,
        patients: Patients,
        suppressions: Suppressions,
        catalog: Catalog,
        clinics: Mapping[str, Clinic],
        business: BusinessClock,
    ) -> None:
        self._patients = patients
        self._suppressions = suppressions
        self._acquaintances = Acquaintances(patients, suppressions)
        self._catalog = catalog
        self._clinics = clinics
        self._business = business

    def check(self, form: EnrolmentForm, *, nameless: bool = False) -> ValidForm:
        """Validate without changing anything.

        Args:
            form: as typed.
            nameless: whether the name may be left out.

        Raises:
            InvalidInput: what is wrong and what to give instead.
        """
        return validate(form, self._clinics, self._catalog, nameless=nameless)

    def languages(self, series: Series) -> frozenset[str]:
        """Languages that every message of a series is written in."""
        written = [set(self._catalog[step.message].languages) for step in series.steps]
        return frozenset(set.intersection(*written))

    def person(self, valid: ValidForm) -> tuple[Patient, bool]:
        """Whom a form is about as they would be stored, and whether they are a patient already."""
        (asked,) = self.look([valid])
        known = _known(asked)
        fresh = self._patients.id_of(valid.given_name, valid.phone, valid.email)
        return known or _patient(fresh, valid), known is not None

    def add(self, patient: Patient, series: Series, start: date, *, source: str) -> Receipt:
        """Put a known patient in a further series, by the consents that are on record.

        Raises:
            AlreadyEnrolled: the patient is in that series.
            NotFound: the patient was erased meanwhile.
            StoreUnavailable: nothing was changed.
        """
        now_ms = self._business.now_ms()
        fields = self._patients.load(patient.id)
        profile = profile_of(patient, fields.reachable() or frozenset(patient.channels))
        due = next_due(series, 0, profile, start, from_ms(now_ms))
        enrolled = self._patients.enrol(
            patient,
            new=False,
            subscription=pack_subscription(series.name, series.version, start, now_ms),
            series=series.name,
            due_ms=now_ms if due is None else to_ms(due),
            consents=[],
            copies={},
            source=source,
        )
        if enrolled.outcome == "enrolled":
            raise AlreadyEnrolled(patient.id, enrolled.number, series.name)
        if enrolled.status is None:
            raise NotFound("There is no such patient any more.")
        silent = tuple(each for each in patient.channels if each not in fields.reachable())
        subscription = f"{patient.id}.{enrolled.number}"
        return Receipt(patient.id, subscription, False, enrolled.status, silent)  # noqa: FBT003

    def enrol(self, form: EnrolmentForm, *, source: str, proof: Proof | None = None) -> Receipt:
        """Enrol; a person who is known by name and addresses gets a further subscription.

        Args:
            form: as typed.
            source: who enrols, for the audit: ``cli``, ``staff:ana``.
            proof: where the person enrols themselves.

        Raises:
            AlreadyEnrolled: the patient is in that series.
            InvalidInput: the form is wrong.
            StoreUnavailable: nothing was enrolled.
        """
        valid = self.check(form, nameless=proof is not None)
        (asked,) = self.look([valid])
        if proof is not None:
            asked = replace(asked, proof=proof, evidence=proof.evidence)
        (answer,) = self.enrol_all([asked], source=source)
        if isinstance(answer, AlreadyEnrolled):
            raise answer
        return answer

    def look(self, forms: Sequence[ValidForm]) -> list[Asked]:
        """Who uses the addresses of many forms already; nothing is changed.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        digests = [self._acquaintances.digests(form.phone, form.email) for form in forms]
        known = self._acquaintances.at(digests)
        return [Asked(*each) for each in zip(forms, digests, known, strict=True)]

    def enrol_all(self, asked: Sequence[Asked], *, source: str) -> list[Receipt | AlreadyEnrolled]:
        """Enrol many, each all or nothing by itself; what became of each, in order.

        Args:
            asked: from `look`.
            source: who enrols, for the audit.

        Raises:
            StoreUnavailable: some may have been enrolled; ask again, nobody is enrolled twice.
        """
        answers: dict[int, Receipt | AlreadyEnrolled] = {}
        left, fresh = dict(enumerate(asked)), self._first_ids(asked)
        for _ in range(TRIES):
            answers |= self._try(left, fresh, source)
            left = {turn: each for turn, each in left.items() if turn not in answers}
            if not left:
                return [answers[turn] for turn in range(len(asked))]
            again = self.look([each.valid for each in left.values()])
            left = {
                turn: replace(each, known=now.known)
                for (turn, each), now in zip(left.items(), again, strict=True)
            }
            fresh = {turn: self._patients.new_id() for turn in left}
        raise StoreUnavailable("No free patient id was found; try again.")

    def _first_ids(self, asked: Sequence[Asked]) -> dict[int, str]:
        # The same person asked for twice at the same instant gets one id, and so is one patient.
        return {
            turn: self._patients.id_of(each.valid.given_name, each.valid.phone, each.valid.email)
            for turn, each in enumerate(asked)
        }

    def _try(
        self, left: Mapping[int, Asked], fresh: Mapping[int, str], source: str
    ) -> dict[int, Receipt | AlreadyEnrolled]:
        """Enrol those whose id is free; the others are left out of the answer."""
        known = {turn: _known(each) for turn, each in left.items()}
        patients = {turn: known[turn] or _patient(fresh[turn], left[turn].valid) for turn in left}
        pairs = [
            (turn, channel, digest)
            for turn, each in left.items()
            for channel, digest in each.digests.items()
        ]
        joined = self._suppressions.join_all([(d, patients[turn].id) for turn, _, d in pairs])
        copies: dict[int, dict[Channel, str]] = {turn: {} for turn in left}
        for (turn, channel, _), copy in zip(pairs, joined, strict=True):
            copies[turn][channel] = copy
        now_ms = self._business.now_ms()
        outcomes = self._patients.enrol_all(
            [
                _to_enrol(each, patients[turn], copies[turn], now_ms, source, known[turn] is None)
                for turn, each in left.items()
            ],
            source=source,
        )
        answers: dict[int, Receipt | AlreadyEnrolled] = {}
        for (turn, each), enrolled in zip(left.items(), outcomes, strict=True):
            patient = patients[turn].id
            if enrolled.outcome == "enrolled":
                answers[turn] = AlreadyEnrolled(patient, enrolled.number, each.valid.series.name)
            elif enrolled.outcome == "ok" and enrolled.status is not None:
                answers[turn] = Receipt(
                    patient=patient,
                    subscription=f"{patient}.{enrolled.number}",
                    new_patient=known[turn] is None,
                    status=enrolled.status,
                    suppressed=tuple(c for c in CHANNELS if _is_on(copies[turn].get(c))),
                )
            else:
                self._forgotten(patient, each.digests)
        return answers

    def _forgotten(self, identifier: str, digests: Mapping[Channel, str]) -> None:
        """Take somebody who was erased, whose id it would have been, out of the addresses again."""
        if self._patients.find(identifier) is None:
            for digest in digests.values():
                self._suppressions.leave(digest, identifier)


def _to_enrol(
    asked: Asked,
    patient: Patient,
    copies: Mapping[Channel, str],
    now_ms: int,
    source: str,
    new: bool,  # noqa: FBT001 - passed on as it is
) -> ToEnrol:
    valid, now = asked.valid, from_ms(now_ms)
    profile = profile_of(patient, frozenset(patient.channels))
    start = valid.start or local_date(profile, now)
    due = next_due(valid.series, 0, profile, start, now)
    at = now.isoformat()
    return ToEnrol(
        patient,
        new=new,
        subscription=pack_subscription(valid.series.name, valid.series.version, start, now_ms),
        series=valid.series.name,
        due_ms=now_ms if due is None else to_ms(due),
        consents=[
            {
                "channel": channel,
                "method": method,
                "wording": valid.wording,
                "address": patient.address(channel) or "",
                "by": source,
                "at": at,
                **asked.evidence,
            }
            for channel, method in valid.consents.items()
        ],
        copies={channel: copy for channel, copy in copies.items() if not copy.startswith("0|")},
    )


def _known(asked: Asked) -> Patient | None:
    """The patient that the form is about as they are to be stored, if there is one already."""
    valid, proof = asked.valid, asked.proof
    there = [known for known in asked.known if known.at >= asked.digests.keys()]
    if proof is None:
        same = (known.contact for known in there if is_same(known, valid))
        return next((_again(contact, valid) for contact in same), None)
    there = [known for known in there if _is_at(known.contact, valid, proof.channel)]
    if valid.given_name:
        there = [known for known in there if known.has_name(valid.given_name)]
    else:
        already = [known for known in there if known.is_in(valid.series.name)]
        there = already or (there if len(there) == 1 else [])
    channels = {proof.channel}
    return next(
        (
            replace(c, channels=tuple(x for x in CHANNELS if x in channels.union(c.channels)))
            for c in (known.contact for known in there)
        ),
        None,
    )


def _again(contact: Patient, valid: ValidForm) -> Patient:
    """A known patient as the form has them, with the channel that they prefer where it has it."""
    patient = _patient(contact.id, valid)
    return (
        replace(patient, prefers=contact.prefers) if contact.prefers in valid.consents else patient
    )


def is_same(known: Known, valid: ValidForm) -> bool:
    """Whether a patient has the form's given name and the very same addresses."""
    same = (known.contact.phone, known.contact.email) == (valid.phone, valid.email)
    return same and known.has_name(valid.given_name)


def _is_at(contact: Patient, valid: ValidForm, channel: Channel) -> bool:
    """Whether a patient of the form's clinic has its address of a channel."""
    address = valid.phone if channel == "sms" else valid.email
    return contact.clinic == valid.clinic.id and contact.address(channel) == address


def _patient(identifier: str, valid: ValidForm) -> Patient:
    return Patient(
        id=identifier,
        clinic=valid.clinic.id,
        given_name=valid.given_name,
        phone=valid.phone,
        email=valid.email,
        language=valid.language,
        timezone=valid.timezone,
        country=valid.clinic.country,
        state=valid.state,
        bedtime=valid.bedtime,
        channels=tuple(channel for channel in CHANNELS if channel in valid.consents),
    )


def _is_on(copy: str | None) -> bool:
    return copy is not None and copy.split("|")[1] == "1"
