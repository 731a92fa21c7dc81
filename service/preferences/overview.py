"""What a patient's page shows, from one look at their record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final, Literal

from messages.catalog import Catalog
from schedules.calendar import Profile, local_date, zone_of
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms, to_ms
from service.dispatch.standing import profile_of, series_of
from service.reporting.coming import coming
from service.reporting.lines import PLANNED
from service.staff.details import languages_of
from service.staff.restarting import undoable_until
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient, PatientFields, Status, Subscription

NEXT: Final = 3
"""Deliveries of a series that are told beforehand."""
Reach = Literal["on", "stopped", "not_agreed", "no_address"]
ONE_CLICK: Final = "one_click"
OWN_WORDS: Final = frozenset({"stop", ONE_CLICK, "provider_opt_out"})
"""Reasons of a suppression that the patient gave."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A delivery to come.

    Attributes:
        at: on the patient's clock.
    """

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series that the patient is or was in.

    Attributes:
        number: of the subscription.
        done: steps that are over, of ``total``.
        until: date on which its pause ends by itself; None where it does not.
        coming: the next deliveries, in order; empty while nothing comes.
        undoable: last date on which staff may undo their stop of it; None where they may not.
    """

    number: int
    title: str
    frequency: str
    status: Status
    done: int
    total: int
    until: date | None
    coming: tuple[Coming, ...]
    undoable: date | None


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel, and whether it reaches the patient.

    Attributes:
        address: with most of it hidden; empty where there is none.
        own: whether it was the patient who stopped it.
        undoable: whether they may take that back here.
        reason: of a suppression, as stored; else empty.
    """

    channel: Channel
    address: str
    reach: Reach
    own: bool = False
    undoable: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """A patient's page.

    Attributes:
        clinic: None where it has left the clinics file.
        today: the patient's date.
        languages: that they may choose from.
        consents: their evidence, oldest first.
    """

    patient: Patient
    clinic: Clinic | None
    today: date
    series: tuple[SeriesView, ...]
    channels: tuple[ChannelView, ...]
    languages: tuple[str, ...]
    consents: tuple[Mapping[str, str], ...]

    def channel(self, channel: Channel) -> ChannelView:
        """One of the channels."""
        return next(each for each in self.channels if each.channel == channel)

    @property
    def running(self) -> bool:
        """Whether something can be paused."""
        return any(each.status is Status.ACTIVE for each in self.series)

    @property
    def paused(self) -> bool:
        """Whether something can be resumed."""
        return any(each.status is Status.PAUSED for each in self.series)


class Overviews:
    """Reads what the page shows."""

    def __init__(
        self,
        patients: Patients,
        clinics: Mapping[str, Clinic],
        catalog: Catalog,
        business: BusinessClock,
    ) -> None:
        self._patients = patients
        self._clinics = clinics
        self._catalog = catalog
        self._business = business

    def of(self, fields: PatientFields, language: str = "") -> Overview:
        """The page of a patient whose record has been read.

        ``language``: that series are named in; empty for the patient's.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
            SeriesError: a series version that the patient is in is not installed.
        """
        patient = self._patients.contact(fields)
        reached = fields.reachable()
        profile = profile_of(patient, reached or frozenset(patient.channels))
        now = from_ms(self._business.now_ms())
        return Overview(
            patient=patient,
            clinic=self._clinics.get(patient.clinic),
            today=local_date(profile, now),
            series=tuple(
                _series(fields, each, profile, language or patient.language, now)
                for each in fields.subscriptions()
                if each.moved_to is None  # what it went on as stands for it
            ),
            channels=tuple(_channel(fields, patient, channel) for channel in CHANNELS),
            languages=languages_of(fields, self._catalog),
            consents=tuple(self._patients.consents(patient.id)),
        )


def _series(
    fields: PatientFields,
    subscription: Subscription,
    profile: Profile,
    language: str,
    now: datetime,
) -> SeriesView:
    series = series_of(subscription)
    words = series.words(language)
    zone = zone_of(profile.timezone)

    def day(ms: int | None) -> date | None:
        return None if ms is None else from_ms(ms).astimezone(zone).date()

    paused = subscription.status is Status.PAUSED
    return SeriesView(
        number=subscription.number,
        title=words.title,
        frequency=words.frequency,
        status=subscription.status,
        done=min(subscription.index, len(series.steps)),
        total=len(series.steps),
        until=day(subscription.until_ms) if paused else None,
        coming=tuple(islice(_coming(fields, subscription, profile, now), NEXT)),
        undoable=day(undoable_until(fields, subscription, to_ms(now))),
    )


def _coming(
    fields: PatientFields, subscription: Subscription, profile: Profile, now: datetime
) -> Iterator[Coming]:
    """What goes on its day; what waits for something else has none yet."""
    if subscription.status is not Status.ACTIVE:
        return
    for line in coming(fields, subscription, profile, now):
        at = line.expected or (line.due if line.reason is None else None)
        if line.outcome == PLANNED and line.channel and at and at.astimezone(UTC) > now:
            yield Coming(at, line.channel)


def _channel(fields: PatientFields, patient: Patient, channel: Channel) -> ChannelView:
    address = patient.address(channel)
    if address is None:
        return ChannelView(channel, "", "no_address")
    hidden = _hidden(channel, address)
    copy = fields.suppression(channel)
    if copy and copy.on:
        return ChannelView(
            channel,
            hidden,
            "stopped",
            own=copy.reason in OWN_WORDS,
            undoable=channel == "email" and copy.reason == ONE_CLICK,
            reason=copy.reason,
        )
    reach: Reach = "on" if channel in fields.reachable() else "not_agreed"
    return ChannelView(channel, hidden, reach)


def _hidden(channel: Channel, address: str) -> str:
    """Enough of an address for its owner to know it by."""
    if channel == "sms":
        return f"••• {address[-4:]}"
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"
