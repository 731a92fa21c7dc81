"""Texts that were sent to us while nobody listened: read from the provider's list and applied.

Twilio does not retry a webhook by default, and no retry outlives a long outage. So before sending
resumes after a gap, and now and then besides, the list of inbound messages is read from where it
was last known to be complete. Each message goes through the same door as a webhook, and one that
came by webhook before changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from service.carriers.base import Inbound, TextCarrier
from service.errors import StoreUnavailable
from service.inbox.receive import InboundText, Inbox
from service.store.replies import Replies

log = structlog.get_logger(__name__)

OVERLAP_MS: Final = 15 * 60_000
"""Read again each time: the list may lag, and the clocks of provider and machine may differ."""
FIRST_LOOK_MS: Final = 24 * 3_600_000
"""How far back an installation looks that has never looked before."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a catch-up did.

    Attributes:
        read: messages in the list.
        new: those that no webhook had brought.
        since_ms: from when, machine ms UTC.
    """

    read: int
    new: int
    since_ms: int


async def catch_up(
    carrier: TextCarrier, inbox: Inbox, replies: Replies, numbers: Iterable[str], now_ms: int
) -> CaughtUp:
    """Apply what patients texted since the stored mark, oldest first, and move the mark.

    Args:
        carrier: whose list is read.
        inbox: what the messages are fed through.
        replies: holds the mark.
        numbers: our senders; where one of them is a Messaging Service (``MG...``), whose numbers
            only Twilio knows, the list of the whole account is read.
        now_ms: machine ms UTC.

    Raises:
        ProviderUnreachable: the list could not be read; the mark stays, nothing may be sent yet.
        StoreUnavailable: not all was applied; the mark stays.
    """
    mark = replies.mark_ms()
    since = (now_ms - FIRST_LOOK_MS) if mark is None else mark
    listed = await _listed(carrier, since, numbers)
    new, upto = 0, now_ms - OVERLAP_MS
    for message in listed:
        try:
            reaction = await asyncio.to_thread(inbox.receive, _text(message))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not hold up all sending
            # Whether it is on record is not certain, so that it is read again, for a day.
            log.error("inbound_text_fault", fault=type(error).__name__)
            upto = min(upto, max(message.received_ms, now_ms - FIRST_LOOK_MS))
            continue
        new += reaction.new
    replies.set_mark(max(since, upto))
    log.info("caught_up", read=len(listed), new=new)
    return CaughtUp(len(listed), new, since)


async def _listed(carrier: TextCarrier, since_ms: int, numbers: Iterable[str]) -> list[Inbound]:
    ours = sorted(set(numbers))
    if not ours:
        return []
    everything = any(number.startswith("MG") for number in ours)
    wanted = [None] if everything else ours
    found = [message for number in wanted for message in await carrier.inbound(since_ms, to=number)]
    return sorted(found, key=lambda message: message.received_ms)


def _text(message: Inbound) -> InboundText:
    return InboundText(
        message_id=message.provider_id,
        sender=message.sender,
        to=message.to,
        body=message.body,
        received_ms=message.received_ms,
    )
