"""Who is at an address already: whom a form may be about, looked up for many forms at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient, PatientFields, Status
from service.store.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class Known:
    """A patient at one or more addresses of a form.

    Attributes:
        fields: their record.
        contact: who they are.
        at: the channels whose address of the form is entered for them.
    """

    fields: PatientFields
    contact: Patient
    at: frozenset[Channel]

    def has_name(self, given_name: str) -> bool:
        """Whether that is their given name, in whatever case."""
        return self.contact.given_name.casefold() == given_name.casefold()

    def is_in(self, series: str) -> bool:
        """Whether a subscription to a series is under way."""
        under_way = {Status.ACTIVE, Status.PAUSED}
        return any(
            s.series == series and s.status in under_way for s in self.fields.subscriptions()
        )

    def was_in(self, series: str) -> bool:
        """Whether they are or ever were in a series."""
        return any(s.series == series for s in self.fields.subscriptions())


class Acquaintances:
    """Looks up patients by the addresses of many forms in a few round trips."""

    def __init__(self, patients: Patients, suppressions: Suppressions) -> None:
        self._patients = patients
        self._suppressions = suppressions

    def digests(self, phone: str | None, email: str | None) -> dict[Channel, str]:
        """The keyed hashes of a form's addresses.

        Args:
            phone: E.164, None for none.
            email: in its normal form, None for none.
        """
        addresses: dict[Channel, str | None] = {"sms": phone, "email": email}
        return {
            channel: self._suppressions.digest(channel, address)
            for channel, address in addresses.items()
            if address is not None
        }

    def at(self, forms: Sequence[Mapping[Channel, str]]) -> list[tuple[Known, ...]]:
        """For each form's digests, the patients entered at any of them; ordered by id.

        Raises:
            KeyMissing: a contact is under a key that is not in the ring.
            StoreUnavailable: the store did not answer.
        """
        asked = [digest for form in forms for digest in form.values()]
        entered = dict(zip(asked, self._suppressions.patients_of_all(asked), strict=True))
        names = {patient for patients in entered.values() for patient in patients}
        there = self._read(sorted(names)) if names else {}
        return [
            tuple(
                Known(*there[patient], _at(patient, form, entered))
                for patient in sorted({p for digest in form.values() for p in entered[digest]})
                if patient in there
            )
            for form in forms
        ]

    def _read(self, names: Sequence[str]) -> dict[str, tuple[PatientFields, Patient]]:
        """Those of them whose record is complete."""
        return {
            fields.id: (fields, self._patients.contact(fields))
            for fields in self._patients.find_all(names)
        }


def _at(
    patient: str, form: Mapping[Channel, str], entered: Mapping[str, Iterable[str]]
) -> frozenset[Channel]:
    return frozenset(c for c in CHANNELS if c in form and patient in entered[form[c]])
