"""Enrol a patient in a series: evidence first, then everything or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from messages.catalog import Catalog
from schedules.calendar import local_date
from schedules.plan import next_due
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms, to_ms
from service.dispatch.standing import profile_of
from service.enrolment.form import EnrolmentForm, ValidForm, validate
from service.errors import InvalidInput, StoreUnavailable
from service.store.patients import Enrolled, Patients
from service.store.records import CHANNELS, Channel, Patient, Status, pack_subscription
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

    def check(self, form: EnrolmentForm) -> ValidForm:
        """Validate without changing anything.

        Raises:
            InvalidInput: what is wrong and what to give instead.
        """
        return validate(form, self._clinics, self._catalog)

    def enrol(self, form: EnrolmentForm, *, source: str) -> Receipt:
        """Enrol; a person who is known by name and addresses gets a further subscription.

        Args:
            form: as typed.
            source: who enrols, for the audit: ``cli``, ``staff:ana``, ``import:7``.

        Raises:
            InvalidInput: the form is wrong, or the patient is in that series already.
            StoreUnavailable: nothing was enrolled.
        """
        valid = self.check(form)
        digests = self._digests(valid)
        known = self._known(valid, digests)
        # The same person asked for twice at the same instant gets one id, and so is one patient.
        fresh = self._patients.id_of(valid.given_name, valid.phone, valid.email)
        for _ in range(TRIES):
            identifier = known or fresh
            patient = self._with_preference(_patient(identifier, valid))
            copies = {
                channel: self._suppressions.join(digest, identifier)
                for channel, digest in digests.items()
            }
            enrolled = self._create(valid, patient, copies, new=known is None, source=source)
            if enrolled.outcome == "enrolled":
                raise InvalidInput(
                    "series",
                    "already_enrolled",
                    f"This patient is in {valid.series.name} already, as {identifier}."
                    f"{enrolled.number}; stop that one first.",
                )
            if enrolled.outcome == "ok" and enrolled.status is not None:
                return Receipt(
                    patient=identifier,
                    subscription=f"{identifier}.{enrolled.number}",
                    new_patient=known is None,
                    status=enrolled.status,
                    suppressed=tuple(c for c in CHANNELS if _is_on(copies.get(c))),
                )
            self._forgotten(identifier, digests)
            known, fresh = self._known(valid, digests), self._patients.new_id()
        raise StoreUnavailable("No free patient id was found; try again.")

    def _create(
        self,
        valid: ValidForm,
        patient: Patient,
        copies: Mapping[Channel, str],
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

    def _with_preference(self, patient: Patient) -> Patient:
        """The same with the channel that a known patient prefers, where they still agree to it."""
        fields = self._patients.find(patient.id)
        prefers = self._patients.contact(fields).prefers if fields else None
        return replace(patient, prefers=prefers) if prefers in patient.channels else patient

    def _digests(self, valid: ValidForm) -> dict[Channel, str]:
        addresses: dict[Channel, str | None] = {"sms": valid.phone, "email": valid.email}
        return {
            channel: self._suppressions.digest(channel, address)
            for channel, address in addresses.items()
            if address is not None
        }

    def _known(self, valid: ValidForm, digests: Mapping[Channel, str]) -> str | None:
        """The patient of the same given name who has the very same addresses, if there is one."""
        shared = [set(self._suppressions.patients(digest)) for digest in digests.values()]
        for identifier in sorted(set.intersection(*shared)):
            fields = self._patients.find(identifier)
            if fields is None:
                continue
            contact = self._patients.contact(fields)
            same_name = contact.given_name.casefold() == valid.given_name.casefold()
            if same_name and (contact.phone, contact.email) == (valid.phone, valid.email):
                return identifier
        return None


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
