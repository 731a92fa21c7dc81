"""Enrol from the console: what a patient would get is shown before anything is saved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from messages.errors import ContentError
from messages.render import Renderer
from schedules.calendar import local_date, zone_of
from schedules.reasons import Reason
from schedules.simulate import Enrolment as Walk
from schedules.simulate import Sent, simulate
from schedules.steps import Series
from service.clock import BusinessClock, from_ms
from service.dispatch.compose import Composer
from service.dispatch.standing import profile_of, series_of
from service.enrolment.enrol import AlreadyEnrolled, Enrolment, Receipt
from service.enrolment.form import EnrolmentForm, read_series, read_start
from service.errors import InvalidInput
from service.store.patients import Patients
from service.store.records import (
    CHANNELS,
    Channel,
    Patient,
    PatientFields,
    Status,
    Subscription,
)
from service.store.suppressions import Suppressions

_RUNNING: Final = frozenset({Status.ACTIVE, Status.PAUSED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One step as it would come.

    Attributes:
        at: on the patient's clock.
        channel: None where it would be passed over.
        text: the text, or the e-mail's subject.
        skipped: why it would be passed over.
    """

    at: datetime
    step: str
    message: str
    channel: Channel | None
    text: str
    skipped: Reason | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What enrolling would do.

    Attributes:
        patient: as they would be stored.
        known: their record, where they are a patient already.
        series: which they would be in.
        silent: channels whose address has opted out before: nothing goes there.
        sharing: how many others use one of the addresses, of those whom whoever enrols may see.
        calendar: what would come, in order.
    """

    patient: Patient
    known: PatientFields | None
    series: Series
    silent: tuple[Channel, ...]
    sharing: int
    calendar: tuple[Entry, ...]


class Enrolling:
    """The use case behind the console's form; a further series of a known patient as well."""

    def __init__(
        self,
        enrolment: Enrolment,
        patients: Patients,
        suppressions: Suppressions,
        composer: Composer,
        renderer: Renderer,
        business: BusinessClock,
    ) -> None:
        self._enrolment = enrolment
        self._patients = patients
        self._suppressions = suppressions
        self._composer = composer
        self._renderer = renderer
        self._business = business

    def outlook(self, form: EnrolmentForm, clinics: Collection[str] = ()) -> Outlook:
        """What would come of a form; nothing is changed.

        Args:
            form: as typed.
            clinics: ids of those that whoever enrols may see; empty for every one.

        Raises:
            AlreadyEnrolled: the patient is in that series.
            InvalidInput: what is wrong with the form and what to give instead.
        """
        valid = self._enrolment.check(form)
        if clinics and valid.clinic.id not in clinics:
            raise InvalidInput("clinic", "clinic_unknown", "Choose one of your clinics.")
        patient, is_known = self._enrolment.person(valid)
        known = self._patients.load(patient.id) if is_known else None
        if known is not None:
            self._require_seen(known, clinics)
        start = valid.start or self._today(patient)
        return self._looked(patient, known, valid.series, start, clinics)

    def enrol(self, form: EnrolmentForm, clinics: Collection[str] = (), *, source: str) -> Receipt:
        """Enrol, as `outlook` has told.

        Raises:
            AlreadyEnrolled: the patient is in that series.
            InvalidInput: the form is wrong.
            StoreUnavailable: nothing was enrolled.
        """
        self.outlook(form, clinics)
        return self._enrolment.enrol(form, source=source)

    def further(
        self, identifier: str, series: str, start: str = "", clinics: Collection[str] = ()
    ) -> Outlook:
        """What would come of a further series of a patient; nothing is changed.

        Args:
            identifier: the patient's.
            series: by its name.
            start: ISO date; empty for today.
            clinics: as for `outlook`.

        Raises:
            AlreadyEnrolled: they are in that series.
            InvalidInput: the series or the day is wrong, or nothing reaches the patient.
            NotFound: there is no such patient.
        """
        known = self._patients.load(identifier)
        patient = self._patients.contact(known)
        wanted = read_series(series)
        if patient.language not in self._enrolment.languages(wanted):
            raise InvalidInput(
                "series", "series_language", "That series is not written in their language."
            )
        if not known.reachable():
            raise InvalidInput("series", "not_reachable", "Nothing reaches this patient.")
        first = read_start(start) or self._today(patient)
        return self._looked(patient, known, wanted, first, clinics)

    def add(self, identifier: str, series: str, start: str = "", *, source: str) -> Receipt:
        """Put a patient in a further series, by the consents that are on record.

        Raises:
            AlreadyEnrolled: they are in that series.
            InvalidInput: as for `further`.
            NotFound: there is no such patient.
            StoreUnavailable: nothing was changed.
        """
        found = self.further(identifier, series, start)
        first = read_start(start) or self._today(found.patient)
        return self._enrolment.add(found.patient, found.series, first, source=source)

    def _require_seen(self, known: PatientFields, clinics: Collection[str]) -> None:
        """Nobody is taken from a clinic by staff of another, who would not see them there."""
        if clinics and self._patients.contact(known).clinic not in clinics:
            raise InvalidInput(
                "given_name",
                "enrolled_elsewhere",
                "This person is a patient of another clinic of yours already: ask an "
                "administrator to see to it.",
            )

    def _today(self, patient: Patient) -> date:
        profile = profile_of(patient, frozenset(patient.channels))
        return local_date(profile, from_ms(self._business.now_ms()))

    def _looked(
        self,
        patient: Patient,
        known: PatientFields | None,
        series: Series,
        start: date,
        clinics: Collection[str],
    ) -> Outlook:
        running = [s for s in known.subscriptions() if s.status in _RUNNING] if known else []
        for each in running:
            if each.series == series.name:
                raise AlreadyEnrolled(patient.id, each.number, series.name)
        silent, others = self._addresses(patient)
        sharing = self._seen(others, clinics)
        profile = profile_of(patient, frozenset(patient.channels) - set(silent))
        now = from_ms(self._business.now_ms())
        walks = [_walk(each) for each in running if each.status is Status.ACTIVE]
        new = Walk(series, start, now)
        recent = known.recent_drips() if known else ()
        told = simulate(profile, [*walks, new], since=now, recent=recent)
        zone, words = zone_of(patient.timezone), self._words(patient, series)
        calendar = tuple(
            Entry(
                at=each.at.astimezone(zone),
                step=each.step.id,
                message=each.step.message,
                channel=each.channel if isinstance(each, Sent) else None,
                text=self._worded(each.step.message, each.channel, patient.language, words)
                if isinstance(each, Sent)
                else "",
                skipped=None if isinstance(each, Sent) else each.reason,
            )
            for each in told
            if each.series == series.name
        )
        return Outlook(patient, known, series, silent, sharing, calendar)

    def _addresses(self, patient: Patient) -> tuple[tuple[Channel, ...], set[str]]:
        """Channels that stay silent, and who else uses the addresses."""
        silent: list[Channel] = []
        others: set[str] = set()
        for channel in CHANNELS:
            address = patient.address(channel)
            if address is None:
                continue
            digest = self._suppressions.digest(channel, address)
            if self._suppressions.stand(digest).reasons:
                silent.append(channel)
            others |= set(self._suppressions.patients(digest)) - {patient.id}
        return tuple(silent), others

    def _seen(self, others: Collection[str], clinics: Collection[str]) -> int:
        """How many of them there are for whoever enrols: nobody is told of another clinic's."""
        there = self._patients.find_all(sorted(others))
        return sum(not clinics or self._patients.contact(f).clinic in clinics for f in there)

    def _words(self, patient: Patient, series: Series) -> dict[str, str]:
        clinic = self._composer.clinic(patient)
        context = self._composer.context(clinic, series, patient.language)
        return {**context, "given_name": patient.given_name}

    def _worded(self, message: str, channel: Channel, language: str, words: dict[str, str]) -> str:
        try:
            if channel == "sms":
                return self._renderer.sms(message, language, words).text
            return self._renderer.email(message, language, words).subject
        except ContentError as error:
            raise InvalidInput("series", "message_fault", str(error)) from None


def _walk(subscription: Subscription) -> Walk:
    return Walk(
        series_of(subscription),
        subscription.start,
        from_ms(subscription.enrolled_ms),
        index=subscription.index,
        done=subscription.done,
    )
