"""A message from a patient: recorded first, then followed, then answered; each once a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from service.clinics import Clinic
from service.clock import MachineClock
from service.dispatch.senders import Senders
from service.errors import AftervisitError, StoreUnavailable
from service.inbox.answers import Answers, provider_answers
from service.inbox.arrived import Arrived
from service.inbox.care import Care
from service.inbox.heard import heard
from service.inbox.keywords import provider_word
from service.inbox.leaving import STANDS, Leaving
from service.inbox.mail.arrivals import InboundEmail
from service.inbox.newcomers import Newcomers
from service.inbox.people import Person
from service.inbox.scope import Scope
from service.store.replies import Replies
from service.store.reply_records import NewReply, Recorded, Reply
from service.store.suppressions import Suppressions
from service.store.tasks import TaskKind

log = structlog.get_logger(__name__)

ANSWERS_AN_HOUR: Final = 10
"""An address that writes more is another machine; it is followed, but not answered any more, save
for what is urgent and for who leaves only now."""
URGENT_AN_HOUR: Final = 30
GRACE_MS: Final = 10_000
"""A record that is open for longer was cut off, or is finished twice, which is harmless."""
OPEN_AT_ONCE: Final = 100
STILL_URGENT_MS: Final = 24 * 3_600_000
"""The safe reply to something urgent that was found in the provider's list is sent until then."""


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that somebody sent us.

    Attributes:
        message_id: the provider's id; the same message has the same one wherever it comes from.
        sender: the number it came from, E.164.
        to: our number.
        messaging_service: SID of ours, empty where none was used.
        opt_out_type: Twilio's ``OptOutType``: it has answered already.
        received_ms: where the provider's list told of it: when, machine ms UTC. Such a text is
            followed and not answered: the conversation is over.
        media: how many pictures or recordings came with it; a person has to look at them.
    """

    message_id: str
    sender: str
    to: str
    body: str
    messaging_service: str = ""
    opt_out_type: str = ""
    received_ms: int | None = None
    media: int = 0


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of a message.

    Attributes:
        reply: the answers' text, None for none; the same for every copy of one message.
        messages: the answers' names in the library.
        heard: what was understood, in the words of ``reply_records.Heard``.
        new: whether this copy was the first.
    """

    reply: str | None
    messages: tuple[str, ...]
    heard: tuple[str, ...]
    new: bool


class Inbox:
    """The use case behind the webhook, the catch-up and the sweep."""

    def __init__(
        self,
        replies: Replies,
        suppressions: Suppressions,
        answers: Answers,
        leaving: Leaving,
        care: Care,
        newcomers: Newcomers,
        scope: Scope,
        senders: Senders,
        machine: MachineClock,
    ) -> None:
        self._replies = replies
        self._suppressions = suppressions
        self._answers = answers
        self._leaving = leaving
        self._care = care
        self._newcomers = newcomers
        self._scope = scope
        self._senders = senders
        self._machine = machine

    def receive(self, text: InboundText) -> Reaction:
        """Record a text, do what it asks for, and say what to answer.

        All its effects are durable and fanned out before this returns. It may be called any number
        of times, at once too, with one effect and one answer.

        Raises:
            StoreUnavailable: nothing is acknowledged; the provider is to try again.
        """
        clinic = self._senders.clinic_of(text.to, text.messaging_service)
        listed = text.received_ms is not None
        address = self._suppressions.digest("sms", text.sender)
        found = heard(text.body, text.opt_out_type)
        found = self._scope.heard(
            text.body, address, self._newcomers.heard(text.body, clinic, found)
        )
        content = {
            "id": text.message_id,
            "from": text.sender,
            "to": text.to,
            "service": text.messaging_service,
            "body": text.body,
            "media": str(text.media),
        }
        recorded = self._replies.record(
            NewReply(
                message_id=text.message_id,
                address=address,
                channel="sms",
                heard=found,
                word=provider_word(text.body),
                opt_out_type=text.opt_out_type,
                clinic=clinic.id if clinic else "",
                via="list" if listed else "webhook",
                at_ms=self._machine.now_ms() if text.received_ms is None else text.received_ms,
                content=content,
            )
        )
        return self._reacted(recorded, content)

    def receive_email(self, email: InboundEmail) -> Reaction:
        """Record an e-mail, do what it asks for, and have the answers sent to its mailbox.

        They go to the mailbox that we wrote to, never to whoever the e-mail says it is from.

        Raises:
            StoreUnavailable: nothing is acknowledged; the mail server is to try again.
        """
        content = {"id": email.message_id, "from": email.sender, "body": email.body}
        recorded = self._replies.record(
            NewReply(
                message_id=email.message_id,
                address=email.mailbox,
                channel="email",
                heard=heard(email.body),
                word="",
                opt_out_type="",
                clinic="",
                via="webhook",
                at_ms=self._machine.now_ms(),
                content=content,
            )
        )
        return self._reacted(recorded, content)

    def _reacted(self, recorded: Recorded, content: Mapping[str, str]) -> Reaction:
        reply = recorded.reply
        if reply.done:
            return Reaction(reply.answer, reply.messages, reply.heard.words, reply.new)
        # Of a copy that differs, which no provider sends, what is on record counts.
        return self._complete(recorded, content if reply.new else None)

    def finish_open(self, now_ms: int) -> int:
        """Complete what a crash cut off between a message's record and its effects; how many.

        Idle it costs one round trip, so it may run often and anywhere: it runs when a web process
        starts and every half minute in each, and should run before sending resumes after a gap.

        Args:
            now_ms: machine ms UTC. Everything older than ``GRACE_MS`` is looked at, however old.

        Raises:
            StoreUnavailable: what is left stays open.
        """
        finished = 0
        for reply in self._replies.open_before(now_ms - GRACE_MS, OPEN_AT_ONCE):
            try:
                self._complete(self._replies.around(reply))
            except StoreUnavailable:
                raise
            except AftervisitError as error:
                log.error("reply_stays_open", reply=reply.id, fault=str(error))
                continue
            except Exception as error:  # noqa: BLE001 - one message must not hold up the others
                # Its text may hold what was written, and is not told.
                log.error("reply_stays_open", reply=reply.id, fault=type(error).__name__)
                continue
            finished += 1
        return finished

    def _complete(self, recorded: Recorded, told: Mapping[str, str] | None = None) -> Reaction:
        """Follow a message and close it.

        Args:
            recorded: the message.
            told: its content, where whoever calls has just put it on record.
        """
        reply = recorded.reply
        people = self._answers.people(recorded.patients)
        arrived = Arrived(
            reply,
            self._answers.clinic(reply.clinic, people),
            people,
            recorded.awaited,
            lambda: self._replies.content(reply) if told is None else told,
        )
        messages = self._follow(arrived)
        answer = self._answer(arrived, messages)
        sent = bool(answer) or reply.channel == "email"
        messages, answer = self._replies.close(
            reply, messages if sent else (), answer, clinic=arrived.clinic.id
        )
        log.info(
            "reply_followed",
            reply=reply.id,
            heard=list(reply.heard.words),
            via=reply.via,
            answered=list(messages),
        )
        return Reaction(answer, messages, reply.heard.words, reply.new)

    def _follow(self, arrived: Arrived) -> tuple[str, ...]:
        """Do all that a message asks for; the names of the messages that answer it, in order."""
        says = arrived.reply.heard.says
        texted = self._senders.clinic_by_id(arrived.reply.clinic)
        joined = self._newcomers.follow(arrived, texted)
        messages = [self._of_the_ledger(arrived), joined or ""]
        if says("urgent"):
            self._care.put_before_staff(TaskKind.URGENT, arrived)
            messages.insert(0, "urgent-reply")
        if says("died"):
            self._care.put_before_staff(TaskKind.DIED, arrived)
        elif says("wrong_number"):
            self._care.put_before_staff(TaskKind.WRONG_NUMBER, arrived)
        if says("check_in"):
            answer = self._care.check_in(arrived)
            # Who leaves, or may be in danger, is not thanked for a number.
            messages += [] if any(messages) else [answer]
        elif joined is None and not any(
            says(word) for word in ("opt_out", "opt_in", "help", "urgent")
        ):
            messages.append(self._care.read_by_staff(arrived))
        return tuple(filter(None, messages))

    def _of_the_ledger(self, arrived: Arrived) -> str:
        """Follow a stop, a start or a call for help first of all: nothing may hold them up."""
        reply, people = arrived.reply, arrived.people
        match reply.heard.keyword:
            case "stop" | "stop_all":
                message = self._leaving.stop(reply)
                asks = message == "goodbye" and self._may_ask(reply)
                return "goodbye-scope" if asks and self._scope.ask(reply, people) else message
            case "start":
                kept = self._scope.keep(reply, people)
                message = self._leaving.start(arrived)
                return "scope-kept" if kept and message == "rejoined" else message
            case "help":
                return "help"
            case _:
                return ""

    @staticmethod
    def _may_ask(reply: Reply) -> bool:
        """Whether we confirm a stop ourselves, to somebody who is still there to answer."""
        return reply.channel == "sms" and reply.via == "webhook" and not reply.word

    def _answer(self, arrived: Arrived, messages: Sequence[str]) -> str | None:
        reply, clinic, people = arrived.reply, arrived.clinic, arrived.people
        if not messages or not _is_answered(reply, messages, people):
            return None
        if reply.channel == "email":
            self._answer_by_email(reply, messages, clinic, people)
            return None
        if reply.via == "list":
            self._answer_late(arrived, messages)
            return None
        if provider_answers(
            clinic.opt_out_handling, reply.word, reply.opt_out_type
        ) and not _is_contradicted(reply, messages):
            return None
        language = self._newcomers.language(arrived)
        return self._answers.text(messages, clinic, people, language)

    def _answer_by_email(
        self, reply: Reply, messages: Sequence[str], clinic: Clinic, people: Sequence[Person]
    ) -> None:
        mailboxes = (person.contact.email for person in people)
        own = (m for m in mailboxes if m and self._is_at(reply, m))
        to = next(own, None)
        for message in messages if to else ():
            self._answers.queue(message, reply, to or "", clinic, people)

    def _is_at(self, reply: Reply, mailbox: str) -> bool:
        return self._suppressions.digest("email", mailbox) == reply.address

    def _answer_late(self, arrived: Arrived, messages: Sequence[str]) -> None:
        """What was urgent is answered also where we learned of it late, while that may help."""
        reply = arrived.reply
        age_ms = self._machine.now_ms() - reply.at_ms
        if "urgent-reply" in messages and age_ms < STILL_URGENT_MS:
            to = arrived.content()["from"]
            self._answers.queue("urgent-reply", reply, to, arrived.clinic, arrived.people)


def _is_contradicted(reply: Reply, messages: Sequence[str]) -> bool:
    """Whether the provider has told somebody that they are back, and it is not so."""
    return reply.heard.keyword == "start" and STANDS in messages


def _is_answered(reply: Reply, messages: Sequence[str], people: Sequence[Person]) -> bool:
    """Whether an address has not been answered so often that it must be a machine.

    Args:
        reply: of it.
        messages: that would answer it.
        people: on it, as they stood before the reply was followed.
    """
    if reply.asked <= ANSWERS_AN_HOUR:
        return True
    if "urgent-reply" in messages:
        return reply.asked <= URGENT_AN_HOUR
    reached = any(reply.channel in person.fields.reachable() for person in people)
    return reply.heard.says("opt_out") and reached
