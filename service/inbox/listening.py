"""Before sending resumes after a gap, what patients texted meanwhile is found and applied."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import redis
import structlog

from service.carriers.base import ProviderUnreachable, TextCarrier
from service.clock import MachineClock
from service.inbox.catch_up import catch_up
from service.inbox.receive import Inbox
from service.store import keys
from service.store.connection import store_errors
from service.store.replies import Replies
from service.store.suppressions import Suppressions

log = structlog.get_logger(__name__)

EVERY_S: Final = 60.0
"""The provider's list is read this often while sending goes on: a web part may be down alone."""
TURN_MS: Final = 60_000
"""Whoever reads the list has this long before another worker may."""
GAP_TURN_MS: Final = 15_000
"""The same after a gap, where everybody waits for it: who lost the store or died in the middle must
not hold up the others for long. Two that read at once are harmless."""
_DONE: Final = b"0"
"""The list has been read in this turn, and there was no gap."""


class Listening:
    """Says whether sending may go on; reads the provider's inbound list where that is in doubt.

    The beat notes a gap when it ticks again after a silence (see ``dispatch.tick``). Until the
    list has been read after it, nothing is claimed: an opt-out that was texted while the service
    was down counts. Without a gap the list is read now and then, and a list that cannot be read
    holds nothing up.
    """

    def __init__(
        self,
        client: redis.Redis,
        texts: TextCarrier | None,
        inbox: Inbox,
        replies: Replies,
        suppressions: Suppressions,
        numbers: Iterable[str],
        machine: MachineClock,
    ) -> None:
        self._client = client
        self._texts = texts
        self._inbox = inbox
        self._replies = replies
        self._suppressions = suppressions
        self._numbers = frozenset(numbers)
        self._machine = machine
        self._looked_at = machine.monotonic() - EVERY_S

    async def may_send(self) -> bool:
        """Whether all that was texted before now has been applied as far as must be.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors(self._client):
            gap = self._client.get(keys.GAP)
        now = self._machine.monotonic()
        if gap is None and now - self._looked_at < EVERY_S:
            return True
        if not self._my_turn(after_a_gap=gap is not None):
            # Another worker reads the list, or has just done so.
            return gap is None
        self._looked_at = now
        heard = await self._listen()
        with store_errors(self._client):
            if heard and gap is not None:
                self._client.delete(keys.GAP)
            if gap is not None:
                self._client.delete(keys.LISTENING)
            else:
                self._client.set(keys.LISTENING, _DONE, xx=True, px=TURN_MS)
        return heard or gap is None

    def _my_turn(self, *, after_a_gap: bool) -> bool:
        """Take the turn to read the list; a gap does not wait for a mere look now and then."""
        turn_ms = GAP_TURN_MS if after_a_gap else TURN_MS
        with store_errors(self._client):
            if self._client.set(keys.LISTENING, 1, nx=True, px=turn_ms):
                return True
            if after_a_gap and self._client.get(keys.LISTENING) == _DONE:
                self._client.set(keys.LISTENING, 1, px=turn_ms)
                return True
        return False

    async def _listen(self) -> bool:
        now_ms = self._machine.now_ms()
        await asyncio.to_thread(self._suppressions.finish_open, now_ms)
        await asyncio.to_thread(self._inbox.finish_open, now_ms)
        if self._texts is None:
            return True
        try:
            await catch_up(self._texts, self._inbox, self._replies, self._numbers, now_ms)
        except ProviderUnreachable as error:
            log.error("inbound_list_unreadable", fault=str(error))
            return False
        return True
