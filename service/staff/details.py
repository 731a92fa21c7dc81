"""Change what a patient told about themselves: language, zone, bedtime, the channel they prefer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from messages.catalog import Catalog
from service.dispatch.standing import series_of
from service.enrolment.form import language_of, parse_bedtime, require_zone
from service.errors import InvalidInput, StoreUnavailable
from service.store.changes import PatientChanges
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient, PatientFields, Status

EITHER: Final = "either"
"""In place of a preferred channel: each message by the channel that it was written for."""
RUNNING: Final = frozenset({Status.ACTIVE, Status.PAUSED, Status.PENDING})
"""Statuses of a subscription that has messages to come."""
TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is to change, as it was typed; empty where it is to stay as it is.

    Attributes:
        timezone: an IANA name. In another zone the state that was on record counts no more, and
            the quiet hours are those of a state that is not known.
        bedtime: ``HH:MM``.
        prefers: a channel, or ``EITHER``.
    """

    language: str = ""
    timezone: str = ""
    bedtime: str = ""
    prefers: str = ""


class PatientDetails:
    """The use case behind the patient's page, the command and the console."""

    def __init__(self, patients: Patients, changes: PatientChanges, catalog: Catalog) -> None:
        self._patients = patients
        self._changes = changes
        self._catalog = catalog

    def change(self, identifier: str, details: Details, *, source: str) -> tuple[str, ...]:
        """Change details; the names of those that differ now.

        What is still to come is planned anew by them, in flight or not. Nothing that was sent is
        sent again, and no day gets a second message.

        Raises:
            InvalidInput: what cannot be used, and why; nothing was changed.
            NotFound: there is no such patient.
            StoreUnavailable: not recorded, or others go on changing the same record.
        """
        for _ in range(TRIES):
            record = self._patients.load(identifier)
            known = self._patients.contact(record)
            wanted = self._wanted(record, known, details)
            words = tuple(
                field.name
                for field in fields(Patient)
                if getattr(known, field.name) != getattr(wanted, field.name)
            )
            if not words or self._changes.amend(
                record,
                wanted,
                ends_links=(known.phone, known.email) != (wanted.phone, wanted.email),
                source=source,
                words=words,
            ):
                return words
        raise StoreUnavailable("The patient's record keeps changing; try again.")

    def _wanted(self, record: PatientFields, known: Patient, details: Details) -> Patient:
        bedtime = parse_bedtime(details.bedtime) if details.bedtime.strip() else known.bedtime
        timezone = details.timezone.strip() or known.timezone
        require_zone(timezone, known.country, bedtime)
        language = known.language
        for subscription in record.subscriptions():
            if details.language.strip() and subscription.status in RUNNING:
                language = language_of(details.language, series_of(subscription), self._catalog)
        return replace(
            known,
            language=language,
            timezone=timezone,
            state=known.state if timezone == known.timezone else None,
            bedtime=bedtime,
            prefers=_preferred(details.prefers.strip(), known),
        )


def languages_of(record: PatientFields, catalog: Catalog) -> tuple[str, ...]:
    """Languages that all of a patient has still to come is written in."""
    found: set[str] | None = None
    for subscription in record.subscriptions():
        if subscription.status not in RUNNING:
            continue
        for step in series_of(subscription).steps:
            written = set(catalog[step.message].languages)
            found = written if found is None else found & written
    return tuple(sorted(found or ()))


def _preferred(text: str, known: Patient) -> Channel | None:
    named: Mapping[str, Channel] = {channel: channel for channel in CHANNELS}
    if not text:
        return known.prefers
    if text == EITHER:
        return None
    channel = named.get(text)
    if channel is None or channel not in known.channels:
        agreed = " or ".join(known.channels) or "none"
        raise InvalidInput(
            "prefers",
            "channel_not_agreed",
            f"Prefer a channel that the patient agreed to ({agreed}), or {EITHER}.",
        )
    return channel
