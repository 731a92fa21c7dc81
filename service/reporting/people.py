"""Who is enrolled: short rows for a list, and everything the service knows of one patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from schedules.errors import SeriesError
from service.clock import from_ms
from service.dispatch.standing import series_of
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient, PatientFields, Subscription
from service.store.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class Person:
    """A patient with their subscriptions, decrypted.

    Attributes:
        contact: who they are.
        fields: the stored record.
        subscriptions: oldest first.
    """

    contact: Patient
    fields: PatientFields
    subscriptions: tuple[Subscription, ...]


class People:
    """Looks patients up for staff."""

    def __init__(self, patients: Patients, suppressions: Suppressions) -> None:
        self._patients = patients
        self._suppressions = suppressions

    def person(self, identifier: str) -> Person:
        """One patient.

        Raises:
            NotFound: there is none with that id.
        """
        fields = self._patients.load(identifier)
        return Person(self._patients.contact(fields), fields, tuple(fields.subscriptions()))

    def some(self, limit: int) -> tuple[list[Person], bool]:
        """Up to ``limit`` patients, by id, and whether there are more."""
        found = list(islice(self._each(self._patients.identifiers()), limit + 1))
        first = sorted(found[:limit], key=lambda person: person.contact.id)
        return first, len(found) > limit

    def at(self, channel: Channel, address: str) -> list[Person]:
        """The patients who use an address, given in its normal form."""
        digest = self._suppressions.digest(channel, address)
        return list(self._each(sorted(self._suppressions.patients(digest))))

    def those(self, identifiers: Iterable[str]) -> list[Person]:
        """Those of some ids who are there, in their order."""
        return list(self._each(identifiers))

    def _each(self, identifiers: Iterable[str]) -> Iterator[Person]:
        for identifier in identifiers:
            fields = self._patients.find(identifier)
            if fields is not None:
                contact = self._patients.contact(fields)
                yield Person(contact, fields, tuple(fields.subscriptions()))

    def evidence(self, identifier: str) -> list[dict[str, str]]:
        """The consents of a patient, oldest first."""
        return self._patients.consents(identifier)


def row(person: Person) -> dict[str, object]:
    """A patient as JSON for a list: no address in it."""
    return {
        "patient": person.contact.id,
        "given_name": person.contact.given_name,
        "clinic": person.contact.clinic,
        "language": person.contact.language,
        "timezone": person.contact.timezone,
        "channels": list(person.contact.channels),
        "reachable": sorted(person.fields.reachable()),
        "subscriptions": [subscription_row(each) for each in person.subscriptions],
    }


def record(person: Person) -> dict[str, object]:
    """A patient as JSON with addresses, settings and suppressions."""
    contact = person.contact
    return {
        **row(person),
        "phone": contact.phone,
        "email": contact.email,
        "country": contact.country,
        "state": contact.state,
        "bedtime": contact.bedtime.strftime("%H:%M"),
        "suppressed": {
            channel: copy.reason
            for channel in CHANNELS
            if (copy := person.fields.suppression(channel)) is not None and copy.on
        },
    }


def _utc(ms: int) -> str:
    return from_ms(ms).isoformat().replace("+00:00", "Z")


def subscription_row(subscription: Subscription) -> dict[str, object]:
    """A subscription as JSON; ``done`` of ``steps`` are over."""
    try:
        steps = len(series_of(subscription).steps)
    except SeriesError:
        steps = None
    return {
        "subscription": subscription.id,
        "series": subscription.series,
        "version": subscription.version,
        "status": subscription.status.word,
        "paused_until": None if subscription.until_ms is None else _utc(subscription.until_ms),
        "start": subscription.start.isoformat(),
        "enrolled": _utc(subscription.enrolled_ms),
        "done": subscription.index,
        "steps": steps,
    }
