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
KEPT_MS = 3_600_000
"""A bucket that nobody has used for this long is full again, and forgotten."""


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
        wait_ms = int(seconds * 1000)
        until = self._clock.now_ms() + wait_ms
        self._scripts.run("pause", (keys.rate(self._name(sender)),), (until, wait_ms + KEPT_MS))

    def stop(self, sender: str, reason: str) -> None:
        """The provider refuses the sender itself: hold all its messages back for a while."""
        with store_errors(self._client):
            self._client.set(keys.stopped(self._name(sender)), reason, px=STOP_TTL_MS)

    def closed_ms(self, sender: str) -> int:
        """Ms until a stopped or paused sender may be used again; 0 where it may be now."""
        name = self._name(sender)
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.pttl(keys.stopped(name))
            pipeline.hget(keys.rate(name), "until")
            stopped, until = pipeline.execute()
        return max(0, int(stopped), int(until or 0) - self._clock.now_ms())
