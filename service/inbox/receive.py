"""A text from a patient: recorded first, then followed, then answered; each once a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from service.clock import MachineClock
from service.dispatch.senders import Senders
from service.errors import AftervisitError, StoreUnavailable
from service.inbox.answers import Answers, Person, provider_answers
from service.inbox.keywords import Keyword, keyword, provider_word
from service.store.records import LETTER
from service.store.replies import NewReply, Replies, Reply
from service.store.suppressions import Ledger, Suppressions

log = structlog.get_logger(__name__)

LIFTED_BY_START: Final = ("stop", "provider_opt_out")
"""A start takes back what the patient did, never what staff or a dead number did."""
_LIFT_NOTHING: Final = ("nothing",)
ANSWERS_AN_HOUR: Final = 10
"""A number that asks for more is another machine; it is followed, but not answered any more."""
GRACE_MS: Final = 10_000
"""A record that is open for longer was cut off, or is finished twice, which is harmless."""
OPEN_AT_ONCE: Final = 100


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
    """

    message_id: str
    sender: str
    to: str
    body: str
    messaging_service: str = ""
    opt_out_type: str = ""
    received_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of a text.

    Attributes:
        reply: the answer's text, None for none; the same for every copy of one message.
        message: the answer's name in the library, empty for none.
        keyword: what was understood; None for a text that a person has to read.
        new: whether this copy was the first.
    """

    reply: str | None
    message: str
    keyword: Keyword | None
    new: bool


class Inbox:
    """The use case behind the webhook, the catch-up and the sweep."""

    def __init__(
        self,
        replies: Replies,
        suppressions: Suppressions,
        answers: Answers,
        senders: Senders,
        machine: MachineClock,
    ) -> None:
        self._replies = replies
        self._suppressions = suppressions
        self._answers = answers
        self._senders = senders
        self._machine = machine

    def receive(self, text: InboundText) -> Reaction:
        """Record a text, do what it asks for, and say what to answer.

        All its effects are durable and fanned out before this returns. It may be called any number
        of times, at once too, with one effect and one answer.

        Raises:
            StoreUnavailable: nothing is acknowledged; the provider is to try again.
        """
        heard = _understood(text)
        clinic = self._senders.clinic_of(text.to, text.messaging_service)
        listed = text.received_ms is not None
        reply = self._replies.record(
            NewReply(
                message_id=text.message_id,
                address=self._suppressions.digest("sms", text.sender),
                keyword=heard or "",
                word=provider_word(text.body),
                opt_out_type=text.opt_out_type,
                clinic=clinic.id if clinic else "",
                via="list" if listed else "webhook",
                at_ms=self._machine.now_ms() if text.received_ms is None else text.received_ms,
                content={
                    "from": text.sender,
                    "to": text.to,
                    "service": text.messaging_service,
                    "body": text.body,
                },
            )
        )
        if reply.done:
            return Reaction(reply.answer, reply.message, _keyword(reply), reply.new)
        return self._complete(reply)

    def finish_open(self, now_ms: int) -> int:
        """Complete what a crash cut off between a text's record and its effects; how many.

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
                self._complete(reply)
            except StoreUnavailable:
                raise
            except AftervisitError as error:
                log.error("reply_stays_open", reply=reply.id, fault=str(error))
                continue
            finished += 1
        return finished

    def _complete(self, reply: Reply) -> Reaction:
        heard = _keyword(reply)
        message = "" if heard is None else self._follow(reply, heard)
        answer = self._worded(reply, message) if message else None
        message, answer = self._replies.close(reply, message if answer else "", answer)
        log.info(
            "text_followed", reply=reply.id, keyword=heard, via=reply.via, answered=bool(answer)
        )
        return Reaction(answer, message, heard, reply.new)

    def _follow(self, reply: Reply, heard: Keyword) -> str:
        """Do what a keyword asks for; the name of the message that answers it."""
        match heard:
            case Keyword.STOP:
                self._stop(reply)
                return "goodbye"
            case Keyword.STOP_ALL:
                self._stop_email_too(reply, self._stop(reply))
                return "goodbye-all"
            case Keyword.START:
                return self._start(reply)
            case Keyword.HELP:
                return "help"
            case _:
                assert_never(heard)

    def _stop(self, reply: Reply) -> Ledger:
        if not reply.new and self._replies.overtaken(reply):
            return self._carried_on(reply)
        return self._suppressions.suppress(
            "sms", reply.address, reason="stop", source=_source(reply)
        )

    def _stop_email_too(self, reply: Reply, ledger: Ledger) -> None:
        # A patient who cannot be read keeps the text open: their e-mail is to stop as well, as soon
        # as the missing key is back (and until then none can be sent to them).
        for person in map(self._answers.person, ledger.patients):
            if person is not None and person.contact.email:
                self._suppressions.suppress(
                    "email",
                    self._suppressions.digest("email", person.contact.email),
                    reason="stop",
                    source=_source(reply),
                )

    def _start(self, reply: Reply) -> str:
        people = self._people(reply)
        if not any(_agreed_to_texts(person) for person in people):
            return "help"  # nobody here has agreed to texts: a word is no evidence of consent
        rejoined = self._replies.rejoin(reply, lifts=LIFTED_BY_START, source=_source(reply))
        self._carried_on(reply)
        if rejoined == "overtaken":
            return ""
        return "help" if rejoined == "kept" else "rejoined"

    def _carried_on(self, reply: Reply) -> Ledger:
        """Give every patient on the number the ledger's present state, whatever it is."""
        return self._suppressions.lift(
            "sms", reply.address, source=_source(reply), lifts=_LIFT_NOTHING
        )

    def _people(self, reply: Reply) -> list[Person]:
        return self._answers.people(self._suppressions.patients(reply.address))

    def _worded(self, reply: Reply, message: str) -> str | None:
        if reply.via == "list" or reply.asked > ANSWERS_AN_HOUR:
            return None
        people: Sequence[Person] = self._people(reply)
        clinic = self._answers.clinic(reply.clinic, people)
        if provider_answers(clinic.opt_out_handling, reply.word, reply.opt_out_type):
            return None
        return self._answers.text(message, clinic, people)


def _understood(text: InboundText) -> Keyword | None:
    """What a text asks for; where the provider has understood it, its word counts."""
    heard = keyword(text.body)
    match text.opt_out_type:
        case "STOP":
            return heard if heard is Keyword.STOP_ALL else Keyword.STOP
        case "START":
            return Keyword.START
        case "HELP":
            return Keyword.HELP
        case _:
            return heard


def _keyword(reply: Reply) -> Keyword | None:
    return Keyword(reply.keyword) if reply.keyword else None


def _source(reply: Reply) -> str:
    return f"reply:{reply.id}"


def _agreed_to_texts(person: Person) -> bool:
    return LETTER["sms"] in (person.fields.text("h") or "")
