"""Send what stands outside of any series: answers, confirmations, links, alerts to staff.

Each is begun at most once, durably, and sent at once. What is proven not to have been sent is tried
again until it is no longer wanted; what may have been sent is not.
"""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

import structlog

from messages.email import Envelope, compose
from messages.errors import ContentError, UnknownLanguage
from messages.render import Renderer
from schedules.series import list_series
from service.carriers.base import Outcome, OutgoingEmail, OutgoingText, Result
from service.clinics import Clinic
from service.clock import MachineClock, from_ms
from service.dispatch.addresses import suppress_as_told
from service.dispatch.compose import Composer
from service.dispatch.parts import Carriers, Stores
from service.dispatch.senders import Sender
from service.dispatch.stops import Stops
from service.errors import ConfigurationError
from service.store.responses import LOOK_AGAIN_MS, Ended, Queued, Response, Responses

log = structlog.get_logger(__name__)

BATCH: Final = 32
VALIDITY_S: Final = 900
"""How long a provider may hold an answer: the conversation is over by then."""
WAIT_S: Final = 5.0
"""Before one whose clinic or words are at fault is looked at again."""
AGAIN_S: Final = 2.5
"""Before what was proven not to be sent is tried again, where the provider names no time."""
DEFAULT_LANGUAGE: Final = "en"


class Answering:
    """Drains a partition's responses. One instance is for one thread and its event loop."""

    def __init__(
        self,
        responses: Responses,
        stores: Stores,
        stops: Stops,
        wording: ResponseWording,
        carriers: Carriers,
        machine: MachineClock,
        *,
        lease_s: float,
    ) -> None:
        self._responses = responses
        self._stores = stores
        self._stops = stops
        self._wording = wording
        self._carriers = carriers
        self._machine = machine
        self._lease_s = lease_s

    async def run(self, partition: int, *, alerts_only: bool = False) -> int:
        """Send what waits, many at once; how many were looked at.

        Args:
            partition: whose.
            alerts_only: after a gap: staff are alerted, and nobody else is written to yet.

        Raises:
            StoreUnavailable: it is done later.
        """
        waiting = self._responses.waiting(partition, BATCH)
        wanted = [each for each in waiting if each.response.alert or not alerts_only]
        ended = await asyncio.gather(
            *(self._one(queued) for queued in wanted), return_exceptions=True
        )
        for fault in ended:
            if isinstance(fault, BaseException):
                raise fault
        return len(wanted)

    async def _one(self, queued: Queued) -> None:
        try:
            outgoing, sender = self._wording.outgoing(queued, self._machine.now_ms())
        except (ConfigurationError, ContentError) as error:
            log.error("response_fault", response=queued.id, fault=str(error))
            self._responses.put_off(queued, self._machine.now_ms() + int(WAIT_S * 1000))
            return
        except Exception as error:  # noqa: BLE001 - one of them must not hold up the others
            log.error("response_fault", response=queued.id, fault=type(error).__name__)
            self._responses.put_off(queued, self._machine.now_ms() + LOOK_AGAIN_MS)
            return
        grant = self._stores.rates.take(sender.address, 1, sender.per_second)
        if not grant.count:
            self._responses.put_off(queued, grant.next_ms)
            return
        begun_at, begun_ms = self._machine.monotonic(), self._machine.now_ms()
        begun = await asyncio.to_thread(self._responses.begin, queued, lease_s=self._lease_s)
        if begun != "ok":
            log.info("response_not_sent", response=queued.id, reason=begun)
            return
        outcome = await self._carriers.send(outgoing.begun(begun_at))
        self._follow_up(queued.response, sender.address, outcome, begun_ms, probe=grant.probe)
        self._record(queued, outcome)

    def _follow_up(
        self, response: Response, sender: str, outcome: Outcome, begun_ms: int, *, probe: bool
    ) -> None:
        if not response.alert:
            suppress_as_told(self._stores, response.channel, response.to, outcome)
        self._stops.answered(sender, response.channel, outcome, begun_ms=begun_ms, probe=probe)

    def _record(self, queued: Queued, outcome: Outcome) -> None:
        ended = _ended(outcome)
        after = outcome.retry_after_s or AGAIN_S
        self._responses.end(
            queued,
            ended,
            after_s=after if ended == "again" else 0.0,
            provider_id=outcome.provider_id or "",
            code=outcome.code or "",
        )
        log.info(
            "response", response=queued.id, message=queued.response.message, result=outcome.result
        )


def _ended(outcome: Outcome) -> Ended:
    match outcome.result:
        case Result.ACCEPTED:
            return "sent"
        case Result.PERMANENT:
            return "failed"
        case Result.UNKNOWN:
            return "unknown"
        case Result.TRANSIENT | Result.STOPPED | Result.TOO_LATE:
            return "again"


class ResponseWording:
    """Turns a queued response into an outgoing message of its clinic."""

    def __init__(self, renderer: Renderer, composer: Composer) -> None:
        self._renderer = renderer
        self._composer = composer

    def outgoing(self, queued: Queued, now_ms: int) -> tuple[OutgoingText | OutgoingEmail, Sender]:
        """The message, and who it goes out as.

        Args:
            queued: what is to be sent.
            now_ms: machine ms UTC, for the Date header.

        Raises:
            ContentError: it cannot be rendered.
            ConfigurationError: its clinic has no sender, or is not in the clinics file.
        """
        response = queued.response
        clinic = self._composer.clinic_named(response.clinic)
        sender = self._composer.sender_of(clinic, response.channel)
        try:
            return self._worded(queued, clinic, response.language, now_ms), sender
        except UnknownLanguage:
            return self._worded(queued, clinic, DEFAULT_LANGUAGE, now_ms), sender

    def _worded(
        self, queued: Queued, clinic: Clinic, language: str, now_ms: int
    ) -> OutgoingText | OutgoingEmail:
        response = queued.response
        context = self._composer.context(clinic, list_series()[0], language) | dict(response.values)
        if response.channel == "email":
            return self._email(queued, clinic, language, context, now_ms)
        return OutgoingText(
            attempt=queued.id,
            to=response.to,
            body=self._renderer.sms(response.message, language, context).text,
            sender=self._composer.sender_of(clinic, "sms").address,
            validity_s=VALIDITY_S,
            status_callback=None,
            begun_at=0.0,
        )

    def _email(
        self, queued: Queued, clinic: Clinic, language: str, context: dict[str, str], now_ms: int
    ) -> OutgoingEmail:
        response = queued.response
        sender = self._composer.sender_of(clinic, "email")
        domain = sender.address.rpartition("@")[2]
        message_id = f"<{queued.id}@{domain}>"
        unsubscribe = self._composer.unsubscribe_url(response.to)
        context["unsubscribe_url"] = unsubscribe
        paths = None if response.alert else self._composer.return_paths
        inbox = paths if clinic.email_replies == "inbox" else None
        envelope = Envelope(
            sender=sender.address,
            sender_name=sender.name,
            recipient=response.to,
            message_id=message_id,
            date=from_ms(now_ms),
            list_id=f"answers.{clinic.id}.{domain}",
            unsubscribe_url=unsubscribe,
            unsubscribe_mailto=paths.leave_uri(queued.address) if paths else None,
            reply_to=inbox.reply_of(queued.address) if inbox else None,
        )
        if response.alert:
            text = self._renderer.sms(response.message, language, context).text
            subject = self._renderer.email(response.message, language, context).subject
            content = _plain(envelope, subject, text)
        else:
            content = compose(self._renderer.email(response.message, language, context), envelope)
        return OutgoingEmail(
            attempt=queued.id,
            to=response.to,
            sender=paths.bounce_of(queued.address) if paths else sender.address,
            content=content,
            message_id=message_id,
            begun_at=0.0,
        )


def _plain(envelope: Envelope, subject: str, text: str) -> bytes:
    """A note to staff: its text alone, without the frame that patients' e-mails stand in."""
    note = EmailMessage(policy=SMTP)
    note["From"] = f'"{envelope.sender_name}" <{envelope.sender}>'
    note["To"] = envelope.recipient
    note["Subject"] = subject
    note["Date"] = envelope.date
    note["Message-ID"] = envelope.message_id
    note["Auto-Submitted"] = "auto-generated"
    note.set_content(text + "\n")
    return note.as_bytes()
