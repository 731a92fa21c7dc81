"""The automatic answers to patients' messages: which are ours to give, and their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final

import structlog

from messages.errors import ContentError, UnknownLanguage
from messages.render import Renderer
from schedules.errors import ScheduleError
from schedules.series import Series, list_series
from service.clinics import Clinic, OptOutHandling
from service.dispatch.compose import Composer
from service.dispatch.standing import series_of
from service.inbox.people import Person
from service.inbox.scope import choices, live_series
from service.store.keyring import KeyMissing, Tampered
from service.store.patients import Patients
from service.store.records import Status
from service.store.reply_records import Reply
from service.store.responses import Response, Responses

log = structlog.get_logger(__name__)

DEFAULT_LANGUAGE: Final = "en"
_TOLL_FREE_WORDS: Final = frozenset({"STOP", "UNSTOP"})


def provider_answers(handling: OptOutHandling, word: str, opt_out_type: str) -> bool:
    """Whether the provider has answered a keyword by itself, so that we must not.

    Args:
        handling: how the clinic's sender is set up.
        word: the provider's keyword that the whole text is (``keywords.provider_word``).
        opt_out_type: of the webhook; present only where Advanced Opt-Out has replied already
            (https://support.twilio.com/hc/en-us/articles/31560110671259).
    """
    if opt_out_type:
        return True
    if handling == "twilio_default":
        return bool(word)
    return handling == "toll_free" and word in _TOLL_FREE_WORDS


class Answers:
    """Words an answer for those who share a number, in the name of the clinic that was texted."""

    def __init__(
        self,
        renderer: Renderer,
        composer: Composer,
        clinics: Mapping[str, Clinic],
        patients: Patients,
        responses: Responses,
    ) -> None:
        self._responses = responses
        self._renderer = renderer
        self._composer = composer
        self._clinics = clinics
        self._patients = patients

    def person(self, identifier: str) -> Person | None:
        """A patient, None where they were never completed, or are erased.

        Raises:
            KeyMissing: the key they were encrypted under is not in the ring.
        """
        fields = self._patients.find(identifier)
        return None if fields is None else Person(fields, self._patients.contact(fields))

    def people(self, identifiers: Sequence[str]) -> list[Person]:
        """The patients of these ids that can be read, the latest enrolled first."""
        found = []
        for fields in self._patients.find_all(identifiers):
            try:
                person = Person(fields, self._patients.contact(fields))
            except (KeyMissing, Tampered) as error:
                log.error("patient_unreadable", patient=fields.id, fault=str(error))
                continue
            subscriptions = fields.subscriptions()
            found.append((max((s.enrolled_ms for s in subscriptions), default=0), person))
        return [person for _, person in sorted(found, key=itemgetter(0), reverse=True)]

    def clinic(self, texted: str, people: Sequence[Person]) -> Clinic:
        """The clinic that was texted, else that of somebody on the number, else any."""
        known = [texted, *(person.contact.clinic for person in people)]
        for identifier in known:
            if identifier in self._clinics:
                return self._clinics[identifier]
        without_sender = (clinic for clinic in self._clinics.values() if not clinic.sms_from)
        return next(without_sender, next(iter(self._clinics.values())))

    def text(
        self,
        messages: Sequence[str],
        clinic: Clinic,
        people: Sequence[Person],
        language: str | None = None,
    ) -> str | None:
        """The words of answers, None (and an error in the log) where none can be rendered.

        Args:
            messages: names in the library, in order.
            clinic: that answers.
            people: on the address; who was enrolled last tells the language.
            language: of somebody who is no patient yet.
        """
        spoken = language or language_of(people)
        worded = [self._text(message, clinic, people, spoken) for message in messages]
        return "\n\n".join(filter(None, worded)) or None

    def _text(
        self, message: str, clinic: Clinic, people: Sequence[Person], language: str
    ) -> str | None:
        try:
            return self._rendered(message, language, clinic, people)
        except UnknownLanguage:
            return self._rendered(message, DEFAULT_LANGUAGE, clinic, people)
        except ContentError as error:
            log.error("answer_fault", message=message, fault=str(error))
            return None

    def queue(
        self, message: str, reply: Reply, to: str, clinic: Clinic, people: Sequence[Person]
    ) -> None:
        """Have an answer sent by itself, where the reply came by a way that takes none.

        Raises:
            StoreUnavailable: it may not be queued; do it again, it is idempotent.
        """
        words = _series(people).words(language_of(people))
        self._responses.queue(
            Response(
                channel=reply.channel,
                to=to,
                clinic=clinic.id,
                message=message,
                language=language_of(people),
                once=f"{reply.id}:{message}",
                values={"series_title": words.title, "frequency": words.frequency},
                answers=True,
            )
        )

    def _rendered(
        self, message: str, language: str, clinic: Clinic, people: Sequence[Person]
    ) -> str:
        context = self._composer.context(clinic, _series(people), language)
        context["choices"] = choices(live_series(people), language) or "-"
        return self._renderer.sms(message, language, context).text


def language_of(people: Sequence[Person]) -> str:
    """The language of whoever was enrolled last, of those who share an address."""
    return people[0].contact.language if people else DEFAULT_LANGUAGE


def _series(people: Sequence[Person]) -> Series:
    """The series that an answer names the frequency of: the one under way, else the latest.

    A number that nobody is subscribed with is told of the first series there is.
    """
    held = [
        (subscription.status is Status.ACTIVE, subscription.enrolled_ms, subscription)
        for person in people
        for subscription in person.fields.subscriptions()
    ]
    for _, _, subscription in sorted(held, key=itemgetter(0, 1), reverse=True):
        try:
            return series_of(subscription)
        except ScheduleError:
            continue
    return list_series()[0]
