"""Enrol a patient in a series: evidence first, then everything or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from messages.catalog import Catalog
from schedules.calendar import local_date
from schedules.plan import next_due
from schedules.series import Series
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms, to_ms
from service.dispatch.standing import profile_of
from service.enrolment.form import EnrolmentForm, ValidForm, validate
from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.store.patients import Enrolled, Patients
from service.store.records import (
    CHANNELS,
    Channel,
    Patient,
    PatientFields,
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
        known = self._known(valid, self._digests(valid), None)
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
            source: who enrols, for the audit: ``cli``, ``staff:ana``, ``import:7``.
            proof: where the person enrols themselves.

        Raises:
            AlreadyEnrolled: the patient is in that series.
            InvalidInput: the form is wrong.
            StoreUnavailable: nothing was enrolled.
        """
        valid = self.check(form, nameless=proof is not None)
        digests = self._digests(valid)
        # The same person asked for twice at the same instant gets one id, and so is one patient.
        fresh = self._patients.id_of(valid.given_name, valid.phone, valid.email)
        for _ in range(TRIES):
            known = self._known(valid, digests, proof)
            patient = known or _patient(fresh, valid)
            copies = {
                channel: self._suppressions.join(digest, patient.id)
                for channel, digest in digests.items()
            }
            evidence = {} if proof is None else proof.evidence
            enrolled = self._create(
                valid, patient, copies, evidence, new=known is None, source=source
            )
            if enrolled.outcome == "enrolled":
                raise AlreadyEnrolled(patient.id, enrolled.number, valid.series.name)
            if enrolled.outcome == "ok" and enrolled.status is not None:
                return Receipt(
                    patient=patient.id,
                    subscription=f"{patient.id}.{enrolled.number}",
                    new_patient=known is None,
                    status=enrolled.status,
                    suppressed=tuple(c for c in CHANNELS if _is_on(copies.get(c))),
                )
            self._forgotten(patient.id, digests)
            fresh = self._patients.new_id()
        raise StoreUnavailable("No free patient id was found; try again.")

    def _create(
        self,
        valid: ValidForm,
        patient: Patient,
        copies: Mapping[Channel, str],
        evidence: Mapping[str, str],
        *,
        new: bool,
        source: str,
    ) -> Enrolled:
        now_ms = self._business.now_ms()
        profile = profile_of(patient, frozenset(patient.channels))
        start = valid.start or local_date(profile, from_ms(now_ms))
        due = next_due(valid.series, 0, profile, start, from_ms(now_ms))
        at = from_ms(now_ms).isoformat()
        return self._patients.enrol(
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
                    **evidence,
                }
                for channel, method in valid.consents.items()
            ],
            copies={channel: copy for channel, copy in copies.items() if not copy.startswith("0|")},
            source=source,
        )

    def _forgotten(self, identifier: str, digests: Mapping[Channel, str]) -> None:
        """Take somebody who was erased, whose id it would have been, out of the addresses again."""
        if self._patients.find(identifier) is None:
            for digest in digests.values():
                self._suppressions.leave(digest, identifier)

    def _digests(self, valid: ValidForm) -> dict[Channel, str]:
        addresses: dict[Channel, str | None] = {"sms": valid.phone, "email": valid.email}
        return {
            channel: self._suppressions.digest(channel, address)
            for channel, address in addresses.items()
            if address is not None
        }

    def _known(
        self, valid: ValidForm, digests: Mapping[Channel, str], proof: Proof | None
    ) -> Patient | None:
        """The patient that the form is about as they are to be stored, if there is one already."""
        shared = [set(self._suppressions.patients(digest)) for digest in digests.values()]
        found = [
            self._patients.find(identifier) for identifier in sorted(set.intersection(*shared))
        ]
        there = [(fields, self._patients.contact(fields)) for fields in found if fields is not None]
        if proof is None:
            return next((_again(c, valid) for _, c in there if _is_same(c, valid)), None)
        there = [(f, c) for f, c in there if _is_at(c, valid, proof.channel)]
        if valid.given_name:
            there = [(f, c) for f, c in there if _is_named(c, valid.given_name)]
        else:
            already = [(f, c) for f, c in there if _is_in(f, valid.series.name)]
            there = already or (there if len(there) == 1 else [])
        channels = {proof.channel}
        return next(
            (
                replace(c, channels=tuple(x for x in CHANNELS if x in channels.union(c.channels)))
                for _, c in there
            ),
            None,
        )


def _again(contact: Patient, valid: ValidForm) -> Patient:
    """A known patient as the form has them, with the channel that they prefer where it has it."""
    patient = _patient(contact.id, valid)
    return (
        replace(patient, prefers=contact.prefers) if contact.prefers in valid.consents else patient
    )


def _is_same(contact: Patient, valid: ValidForm) -> bool:
    """Whether a patient has the form's given name and the very same addresses."""
    same = (contact.phone, contact.email) == (valid.phone, valid.email)
    return same and _is_named(contact, valid.given_name)


def _is_named(contact: Patient, given_name: str) -> bool:
    return contact.given_name.casefold() == given_name.casefold()


def _is_at(contact: Patient, valid: ValidForm, channel: Channel) -> bool:
    """Whether a patient of the form's clinic has its address of a channel."""
    address = valid.phone if channel == "sms" else valid.email
    return contact.clinic == valid.clinic.id and contact.address(channel) == address


def _is_in(fields: PatientFields, series: str) -> bool:
    under_way = (s for s in fields.subscriptions() if s.status in {Status.ACTIVE, Status.PAUSED})
    return any(subscription.series == series for subscription in under_way)


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
