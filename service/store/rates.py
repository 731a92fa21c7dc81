"""What all workers share about a sender: its rate, a pause the provider asked for, a full stop."""

from __future__ import annotations

import redis

from service.clock import MachineClock
from service.store import keys
from service.store.connection import store_errors
from service.store.keyring import Index
from service.store.scripts import Scripts

STOP_TTL_MS = 60_000
"""A stopped sender is tried again with one message after this long, and so mends itself."""


class Rates:
    """Token buckets and stops of senders, on machine time."""

    def __init__(
        self, client: redis.Redis, scripts: Scripts, index: Index, clock: MachineClock
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._index = index
        self._clock = clock

    def _name(self, sender: str) -> str:
        return self._index.digest("sender", sender)

    def take(self, sender: str, wanted: int, per_second: float) -> tuple[int, int]:
        """Take up to ``wanted`` tokens; how many were granted, and ms until the next one."""
        answer = self._scripts.run(
            "bucket", (keys.rate(self._name(sender)),), (self._clock.now_ms(), per_second, wanted)
        )
        return int(answer[0]), int(answer[1])

    def pause(self, sender: str, seconds: float) -> None:
        """Nobody sends from it for that long (a provider's ``Retry-After``)."""
        until = self._clock.now_ms() + int(seconds * 1000)
        with store_errors(self._client):
            self._client.hset(keys.rate(self._name(sender)), "until", until)

    def stop(self, sender: str, reason: str) -> None:
        """The provider refuses the sender itself: hold all its messages back for a while."""
        with store_errors(self._client):
            self._client.set(keys.stopped(self._name(sender)), reason, px=STOP_TTL_MS)

    def stopped_ms(self, sender: str) -> int:
        """Ms until a stopped sender may be tried again; 0 where it is not stopped."""
        with store_errors(self._client):
            rest = int(self._client.pttl(keys.stopped(self._name(sender))))
        return max(0, rest)
