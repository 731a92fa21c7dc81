"""What a STOP and a START do to the ledger: for one address, or for all of those who share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.inbox.answers import Answers
from service.inbox.arrived import Arrived
from service.inbox.people import Person
from service.store.records import CHANNELS, LETTER, Channel
from service.store.replies import Replies
from service.store.reply_records import Heard, Reply
from service.store.suppressions import LIFTED_BY_START, Ledger, Suppressions

STANDS: Final = "goodbye"
"""Answers a start that may be older than the latest stop: the stop stands, and START ends it."""
RETRIED_MS: Final = 10 * 60_000
"""A text may come again for so long after its webhook failed (Twilio itself ends after 15 s)."""
_LIFT_NOTHING: Final = ("nothing",)


class Leaving:
    """Suppresses addresses for those who leave, and lifts it for those who come back.

    Args:
        replies: the records.
        suppressions: the ledger.
        answers: reads the people.
        received_ms: when the provider received a text, by its id, machine ms UTC; None where it
            does not say, or not soon enough. Asked only about a start that may be older than a
            stop.
    """

    def __init__(
        self,
        replies: Replies,
        suppressions: Suppressions,
        answers: Answers,
        received_ms: Callable[[str], int | None],
    ) -> None:
        self._replies = replies
        self._suppressions = suppressions
        self._answers = answers
        self._received_ms = received_ms

    def stop(self, reply: Reply) -> str:
        """Follow a message that asks to leave; the name of the message that confirms it.

        Raises:
            StoreUnavailable: not, or not wholly, recorded; do it again, it is idempotent.
            KeyMissing: somebody on the address cannot be read, so that not all is stopped yet.
        """
        reason = reason_of(reply.heard)
        if not reply.new and self._replies.overtaken(reply):
            ledger = self._carried_on(reply)
        else:
            ledger = self._suppressions.suppress(
                reply.channel, reply.address, reason=reason, source=reply.source
            )
        if reply.heard.keyword == "stop_all":
            self._stop_the_rest(reply, ledger, reason)
        if reply.heard.says("died"):
            return "condolence"
        if reply.heard.says("wrong_number"):
            return "wrong-number"
        return "goodbye-all" if reply.heard.keyword == "stop_all" else "goodbye"

    def _stop_the_rest(self, reply: Reply, ledger: Ledger, reason: str) -> None:
        # A patient who cannot be read keeps the message open: the rest of theirs is to stop as
        # well, as soon as the missing key is back (and until then none can be sent to them).
        for person in map(self._answers.person, ledger.patients):
            for channel in CHANNELS if person else ():
                address = person.contact.address(channel) if person else None
                if address and channel != reply.channel:
                    digest = self._suppressions.digest(channel, address)
                    self._suppressions.suppress(
                        channel, digest, reason=reason, source=reply.source, own=True
                    )

    def start(self, arrived: Arrived) -> str:
        """Follow a message that asks to come back; the name of the message that answers it.

        Where a stop is newer there is none, and where it may be, it stands, and ``STANDS`` says so.

        Raises:
            StoreUnavailable: as in `stop`.
        """
        reply = arrived.reply
        if not any(agreed(person, reply.channel) for person in arrived.people):
            return "help"  # nobody here has agreed to messages: a word is no evidence of consent
        listed = reply.via == "list"
        ledger = self._lift(reply, reply.at_ms if listed else None)
        if ledger.unclear and not listed:
            received_ms = self._received_ms(arrived.content().get("id", ""))
            if received_ms is not None:
                ledger = self._lift(reply, received_ms)
        if ledger.unclear and not listed:
            return STANDS
        if ledger.overtaken or ledger.unclear:
            return ""
        return "help" if ledger.on else "rejoined"

    def _lift(self, reply: Reply, received_ms: int | None) -> Ledger:
        """Lift what a start lifts, if no stop is newer: by its number, and its time if known.

        Webhooks are numbered as they arrive, and one that comes again after a failure may arrive
        after what was written later. E-mails come in their order or not at all.
        """
        return self._suppressions.lift(
            reply.channel,
            reply.address,
            source=reply.source,
            lifts=LIFTED_BY_START[reply.channel],
            stops=reply.stops,
            received_ms=received_ms,
            doubtful_ms=reply.at_ms - RETRIED_MS if reply.channel == "sms" else None,
        )

    def _carried_on(self, reply: Reply) -> Ledger:
        """Give every patient on the address the ledger's present state, whatever it is."""
        return self._suppressions.lift(
            reply.channel, reply.address, source=reply.source, lifts=_LIFT_NOTHING
        )


def reason_of(heard: Heard) -> str:
    """What the ledger keeps of a message that asks to leave: why."""
    if heard.says("died"):
        return "died"
    return "wrong_number" if heard.says("wrong_number") else "stop"


def agreed(person: Person, channel: Channel) -> bool:
    """Whether somebody's consent for a channel is on record."""
    return LETTER[channel] in (person.fields.text("h") or "")
