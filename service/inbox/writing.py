"""Staff write back to a patient: checked first, as it will be shown, then sent at most once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from messages.draft import Warned, warnings_of
from messages.render import Renderer, lines
from messages.sms import outside_gsm7
from schedules.calendar import Profile
from schedules.errors import ScheduleError
from schedules.series import list_series
from service.clinics import Clinic
from service.clock import BusinessClock, MachineClock, from_ms
from service.dispatch.compose import Composer
from service.dispatch.standing import profile_of
from service.errors import AftervisitError, ConfigurationError, InvalidInput
from service.inbox.answerable import Refusal, Slot, Standing, refusal, slot
from service.inbox.answers import DEFAULT_LANGUAGE, language_of
from service.inbox.leaving import agreed
from service.inbox.thread import Thread
from service.reporting.prices import shown
from service.store.records import Channel
from service.store.replies import Replies
from service.store.responses import Response, Responses
from service.store.suppressions import Suppressions

MESSAGE: Final = "staff-answer"
LANGUAGES: Final = ("en", "es")
"""Those that the message is written in."""
MOST_LETTERS: Final[Mapping[Channel, int]] = {"sms": 1000, "email": 5000}
"""Twilio takes 1,600 characters; a clinic's answer needs fewer."""
_KEY: Final = re.compile(r"[0-9A-Za-z_-]{8,64}")


class MayNotWrite(AftervisitError):
    """Nobody may write to that address; nothing was sent.

    Attributes:
        refusal: why: ``suppressed``, ``no_consent``, ``no_address``.
    """

    def __init__(self, why: Refusal) -> None:
        super().__init__("This address may not be written to; phone instead.")
        self.refusal = why


class NeedsDecision(AftervisitError):
    """What was written breaks rules; it is sent where the writer says so all the same."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer as it will be shown.

    Attributes:
        text: of the text, or of the e-mail's body.
        subject: of the e-mail, else empty.
        segments: parts that the text is sent and paid as; 0 for an e-mail.
        cost: for people; empty where the clinic has told no prices.
        encoding: of the text, else empty.
        costly: characters for which the text takes more parts.
        warnings: rules that the words break.
        slot: when it goes.
        timezone: of whom it is for: their hours count.
    """

    text: str
    subject: str
    segments: int
    cost: str
    encoding: str
    costly: tuple[str, ...]
    warnings: tuple[Warned, ...]
    slot: Slot
    timezone: str


@dataclass(frozen=True, slots=True)
class WritingParts:
    """What answers are written with.

    Attributes:
        pace: business seconds in a machine second.
    """

    responses: Responses
    replies: Replies
    suppressions: Suppressions
    renderer: Renderer
    composer: Composer
    machine: MachineClock
    business: BusinessClock
    pace: float


class Writing:
    """The use case behind the console's inbox."""

    def __init__(self, parts: WritingParts) -> None:
        self._parts = parts

    def refusal(self, thread: Thread) -> Refusal | None:
        """Why nobody may write back, None where they may."""
        why = refusal(self._standing(thread))
        return why or (None if self.address(thread) else "no_address")

    def check(self, thread: Thread, words: str) -> Checked:
        """What would be sent, and when.

        Raises:
            InvalidInput: there are no words, or too many.
            MayNotWrite: the address may not be written to.
        """
        why = self.refusal(thread)
        if why is not None:
            raise MayNotWrite(why)
        written = _written(words, thread.channel)
        clinic = self._clinic(thread)
        profile = self._profile(thread, clinic)
        now = from_ms(self._parts.business.now_ms())
        when = slot(profile, thread.channel, now, self._standing(thread).since)
        told = warnings_of(written, thread.channel)
        language, context = self._language(thread), self._context(thread, clinic, written)
        if thread.channel == "email":
            mail = self._parts.renderer.email(MESSAGE, language, context)
            cost = _cost(clinic, emails=1)
            return Checked(mail.text, mail.subject, 0, cost, "", (), told, when, profile.timezone)
        sms = self._parts.renderer.sms(MESSAGE, language, context)
        costly = outside_gsm7(sms.text) if sms.encoding != "GSM-7" else ()
        cost, zone = _cost(clinic, segments=sms.segments), profile.timezone
        return Checked(sms.text, "", sms.segments, cost, sms.encoding, costly, told, when, zone)

    def send(self, thread: Thread, words: str, *, key: str, by: str, despite: bool) -> bool:
        """Queue an answer durably; False where one was queued under the same key before.

        Args:
            thread: that it is for.
            words: as typed.
            key: of the form it was written in; one form sends once.
            by: who writes.
            despite: the writer has read the warnings.

        Raises:
            InvalidInput: as in `check`, or the key is none.
            MayNotWrite: the address may not be written to.
            NeedsDecision: there are some, and the writer has not read them.
            StoreUnavailable: it may not be queued; ask again with the same key.
        """
        if not _KEY.fullmatch(key):
            raise InvalidInput("key", "key_bad", "Load the page again, and write it there.")
        checked = self.check(thread, words)
        if checked.warnings and not despite:
            raise NeedsDecision("Read what is said about these words, and decide.")
        clinic, parts = self._clinic(thread), self._parts
        now = from_ms(parts.business.now_ms())
        return parts.responses.queue(
            Response(
                channel=thread.channel,
                to=self.address(thread),
                clinic=clinic.id,
                message=MESSAGE,
                language=self._language(thread),
                once=f"answer:{thread.address}:{key}",
                values={"answer": _written(words, thread.channel)},
                answers=bool(thread.stand.reasons),
                after_s=self._machine_s(checked.slot.at - now),
                expires_s=self._machine_s(checked.slot.until - now),
                by=by,
            )
        )

    def _machine_s(self, span: timedelta) -> float:
        return max(0.0, span.total_seconds() / self._parts.pace)

    def _standing(self, thread: Thread) -> Standing:
        now_ms = self._parts.machine.now_ms()
        ages = {reply: timedelta(milliseconds=now_ms - reply.at_ms) for reply in thread.replies}
        urgent = [age for reply, age in ages.items() if reply.meant.says("urgent")]
        return Standing(
            reasons=thread.stand.reasons,
            consent=any(agreed(person, thread.channel) for person in thread.people),
            since=min(ages.values(), default=None),
            urgent=min(urgent, default=None),
        )

    def address(self, thread: Thread) -> str:
        """The address itself, as it is on record of a patient, or as a text came from it.

        Empty where it is not known for certain.
        """
        parts = self._parts
        for person in thread.people:
            own = person.contact.address(thread.channel)
            if own and parts.suppressions.digest(thread.channel, own) == thread.address:
                return own
        if thread.channel == "email" or not thread.replies:
            return ""  # whoever a mail says it is from may be somebody else
        return parts.replies.content(thread.replies[-1]).get("from", "")

    def _clinic(self, thread: Thread) -> Clinic:
        return self._parts.composer.clinic_named(thread.clinic)

    def _profile(self, thread: Thread, clinic: Clinic) -> Profile:
        """Of the patient who was enrolled last, else of somebody at the clinic."""
        if thread.people:
            person = thread.people[0]
            return profile_of(person.contact, frozenset({thread.channel}))
        try:
            return Profile(clinic.timezone or "", clinic.country, clinic.state)
        except ScheduleError:
            raise ConfigurationError(
                f"Set timezone of the clinic {clinic.id} in the clinics file: nobody is written to "
                "in the middle of the night."
            ) from None

    def _language(self, thread: Thread) -> str:
        language = language_of(thread.people)
        return language if language in LANGUAGES else DEFAULT_LANGUAGE

    def _context(self, thread: Thread, clinic: Clinic, written: str) -> dict[str, str]:
        composer = self._parts.composer
        context = composer.context(clinic, list_series()[0], self._language(thread))
        return {**context, "answer": written}


def _cost(clinic: Clinic, *, segments: int = 0, emails: int = 0) -> str:
    prices = clinic.prices
    if prices is None:
        return ""
    return shown(prices.cost(segments=segments, emails=emails), prices.currency)


def _written(words: str, channel: Channel) -> str:
    """What was typed, as it is sent.

    Raises:
        InvalidInput: there are no words, or too many.
    """
    written, most = lines(words), MOST_LETTERS[channel]
    if not written:
        raise InvalidInput("words", "words_missing", "Write what you want to say.")
    if len(written) > most:
        raise InvalidInput("words", "words_long", f"Say it in up to {most} letters.")
    return written
