"""Send a patient one message of the library now: with the checks that any other message has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from messages.catalog import Catalog, Message
from messages.errors import ContentError
from messages.render import Renderer
from schedules.calendar import zone_of
from schedules.reasons import Reason
from schedules.series import list_series
from schedules.single import Later, Now, single
from schedules.steps import Series
from service.clock import BusinessClock, from_ms
from service.dispatch.answering import VALIDITY_S
from service.dispatch.compose import Composer
from service.dispatch.standing import nights_besides, profile_of, series_of
from service.errors import AftervisitError, InvalidInput
from service.store.changes import PatientChanges
from service.store.patients import Patients
from service.store.records import Channel, Patient, PatientFields
from service.store.responses import Response, Responses

EXPIRES_S: Final = 900
"""Staff want it sent now: where nothing can send it by then, it is not sent at all."""


class NotNow(AftervisitError):
    """The message may not go now; nothing was sent.

    Attributes:
        reason: why.
        at: when it may, on the patient's clock; None where nothing reaches them.
    """

    def __init__(self, reason: Reason, at: datetime | None) -> None:
        self.reason = reason
        self.at = at
        told = f" It may go from {at:%A %d %b %H:%M %Z} on." if at else ""
        super().__init__(f"The message was not sent ({reason.replace('_', ' ')}).{told}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as the patient would get it.

    Attributes:
        subject: of an e-mail; None for a text.
        later: why it may not go now; None where it may.
        local: on the patient's clock, when it may go; None where it may now, or nothing reaches
            them.
    """

    message: str
    channel: Channel
    text: str
    subject: str | None
    later: Reason | None
    local: datetime | None


class OneMessage:
    """The use case behind the console and the API."""

    def __init__(
        self,
        patients: Patients,
        changes: PatientChanges,
        responses: Responses,
        composer: Composer,
        renderer: Renderer,
        catalog: Catalog,
        business: BusinessClock,
    ) -> None:
        self._patients = patients
        self._changes = changes
        self._responses = responses
        self._composer = composer
        self._renderer = renderer
        self._catalog = catalog
        self._business = business

    def choices(self, identifier: str) -> tuple[Message, ...]:
        """The messages that may be sent by hand, in the patient's language: what educates.

        Raises:
            NotFound: there is no such patient.
        """
        patient = self._patients.contact(self._patients.load(identifier))
        return tuple(
            message
            for message in self._catalog
            if message.strand != "service" and patient.language in message.languages
        )

    def draft(self, identifier: str, message: str, channel: Channel) -> Draft:
        """How it would look, and whether it may go now; nothing is sent.

        Raises:
            InvalidInput: there is no such message for this patient.
            NotFound: there is no such patient.
        """
        fields = self._patients.load(identifier)
        patient = self._patients.contact(fields)
        self._require(identifier, message)
        may = self._may(fields, patient, channel)
        values = self._values(fields, patient)
        context = self._composer.context(
            self._composer.clinic(patient), _series(fields), patient.language
        )
        words = {**context, **values}
        text, subject = self._worded(message, channel, patient.language, words)
        if isinstance(may, Now):
            return Draft(message, channel, text, subject, None, None)
        return Draft(message, channel, text, subject, may.reason, _local(may, patient))

    def send(self, identifier: str, message: str, channel: Channel, *, source: str) -> None:
        """Have it sent at once; asked twice on a day, it is sent once.

        It counts as the day's one message of a series. Consent, suppression, the hours in which the
        patient may be written to and the caps hold as for any other; the address's suppression is
        asked once more in the step that begins it.

        Raises:
            InvalidInput: there is no such message for this patient.
            NotFound: there is no such patient.
            NotNow: it may not go now; says why, and when it may.
            StoreUnavailable: it may not be sent; what was counted for the day stays counted.
        """
        fields = self._patients.load(identifier)
        patient = self._patients.contact(fields)
        self._require(identifier, message)
        may = self._may(fields, patient, channel)
        now = from_ms(self._business.now_ms())
        today = now.astimezone(zone_of(patient.timezone)).date()
        address = patient.address(channel) or ""
        once = f"single:{identifier}:{today.isoformat()}:{message}:{channel}"
        if address and self._responses.state(channel, address, once) is not None:
            return
        if isinstance(may, Later):
            raise NotNow(may.reason, _local(may, patient))
        taken = self._changes.take_day(identifier, channel, may.day, message, source=source)
        if taken != "ok":
            reason = _REFUSED[taken]
            again = self._may(self._patients.load(identifier), patient, channel)
            raise NotNow(reason, _local(again, patient) if isinstance(again, Later) else None)
        self._responses.queue(
            Response(
                channel=channel,
                to=address,
                clinic=patient.clinic,
                message=message,
                language=patient.language,
                once=once,
                values=self._values(fields, patient),
                expires_s=min(EXPIRES_S, (may.until - now).total_seconds()),
            )
        )

    def _require(self, identifier: str, message: str) -> None:
        if message not in {each.name for each in self.choices(identifier)}:
            raise InvalidInput(
                "message", "message_unknown", "Choose a message of the library in their language."
            )

    def _may(self, fields: PatientFields, patient: Patient, channel: Channel) -> Now | Later:
        # Whether they prefer the other channel is for staff to weigh: it is shown, and no bar.
        reached = frozenset(each for each in fields.reachable() if patient.address(each))
        profile = profile_of(patient, reached & {channel})
        return single(
            profile,
            channel,
            from_ms(self._business.now_ms()),
            validity=timedelta(seconds=VALIDITY_S),
            recent_drips=fields.recent_drips(),
            nights=nights_besides(fields, profile),
        )

    def _values(self, fields: PatientFields, patient: Patient) -> dict[str, str]:
        people = [(patient.id, fields.links_ended)]
        words = _series(fields).words(patient.language)
        return {
            "given_name": patient.given_name,
            "page_url": self._composer.page_url(people, self._business.now_ms()),
            "series_title": words.title,
            "frequency": words.frequency,
        }

    def _worded(
        self, message: str, channel: Channel, language: str, words: dict[str, str]
    ) -> tuple[str, str | None]:
        try:
            if channel == "sms":
                return self._renderer.sms(message, language, words).text, None
            email = self._renderer.email(message, language, words)
        except ContentError as error:
            raise InvalidInput("message", "message_fault", str(error)) from None
        return email.text, email.subject


_REFUSED: Final = {
    "suppressed": Reason.NO_CHANNEL,
    "capped_day": Reason.DAILY_CAP,
    "capped_week": Reason.WEEKLY_CAP,
}


def _series(fields: PatientFields) -> Series:
    """The latest series of a patient, whose name stands at the foot of an e-mail."""
    known = list(fields.subscriptions())
    return series_of(known[-1]) if known else list_series()[0]


def _local(later: Later, patient: Patient) -> datetime | None:
    return later.at and later.at.astimezone(zone_of(patient.timezone))
