"""When the provider received a text: asked where webhooks may have come out of their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from service.carriers.base import ProviderUnreachable, TextCarrier

log = structlog.get_logger(__name__)

LIMIT_S: Final = 3.0
"""How long the provider may take to say it: whoever wrote waits for our answer meanwhile."""


class ReceivedTimes:
    """Asks the provider, on a connection made for it: it is asked seldom, and from any thread.

    Args:
        carrier: makes a carrier whose total deadline is ``LIMIT_S``; None where no text is sent.
    """

    def __init__(self, carrier: Callable[[], TextCarrier | None]) -> None:
        self._carrier = carrier

    def of(self, message_id: str) -> int | None:
        """When a text was received, machine ms UTC; None where the provider does not say in time.

        Blocks; not for an event loop.
        """
        carrier = self._carrier() if message_id else None
        if carrier is None:
            return None
        # Not asyncio.run, which would wait past the deadline for a name server that is away.
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(_asked(carrier, message_id))
        except ProviderUnreachable as error:
            log.warning("text_without_a_time", fault=str(error))
            return None
        finally:
            loop.close()


async def _asked(carrier: TextCarrier, message_id: str) -> int | None:
    try:
        return await carrier.received_ms(message_id)
    finally:
        await carrier.aclose()
