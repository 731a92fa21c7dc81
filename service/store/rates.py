"""What all workers share about a sender: its rate, a pause the provider asked for, a full stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import redis

from service.clock import MachineClock
from service.store import keys
from service.store.connection import store_errors
from service.store.keyring import Index
from service.store.scripts import Scripts

PROBE_MS = 60_000
"""A stopped sender is tried with one message this often, over all workers."""
KEPT_MS = 90_000_000
"""A sender that nobody has used for this long (25 hours) is forgotten, unless it is stopped."""

Proof = Literal["answer", "receipt"]
"""What tells that a stopped sender works again: an answer that accepts, or a receipt."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sender's rate allows.

    Attributes:
        count: messages that may go now.
        next_ms: when one more may go, machine ms UTC. An instant, not a wait: the clock may be set
            before the caller reads it again.
        probe: the sender is stopped, and the one message granted tries whether it works again.
    """

    count: int
    next_ms: int
    probe: bool = False


@dataclass(frozen=True, slots=True)
class SenderRecord:
    """What is on record of a sender; times are machine ms UTC.

    Attributes:
        stopped_ms: since when it is stopped; None where it is not.
        code: the provider's, of the latest refusal.
        reason: one sentence for staff.
        probe_ms: when a stopped sender is tried next.
        until_ms: nobody sends before, since the provider asked for it; None where it did not.
        sent: granted today (UTC), and of these ``filtered``.
    """

    stopped_ms: int | None
    code: str
    reason: str
    probe_ms: int | None
    until_ms: int | None
    sent: int
    filtered: int


class Rates:
    """Token buckets and stops of senders, on machine time."""

    def __init__(
        self, client: redis.Redis, scripts: Scripts, index: Index, clock: MachineClock
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._index = index
        self._clock = clock

    def name(self, sender: str) -> str:
        """The keyed hash by which the store knows a sender."""
        return self._index.digest("sender", sender)

    def _key(self, sender: str) -> str:
        return keys.rate(self.name(sender))

    def take(self, sender: str, wanted: int, per_second: float) -> Grant:
        """Take up to ``wanted`` tokens.

        A stopped sender gets one, once in ``PROBE_MS`` whichever worker asks; a paused one none.
        """
        now_ms = self._clock.now_ms()
        args = (now_ms, per_second, wanted, PROBE_MS, KEPT_MS)
        count, wait_ms, probe = self._scripts.run("bucket", (self._key(sender),), args)
        return Grant(int(count), now_ms + int(wait_ms), bool(probe))

    def pause(self, sender: str, seconds: float) -> None:
        """Nobody sends from it for that long (a provider's ``Retry-After``)."""
        wait_ms = int(seconds * 1000)
        until = self._clock.now_ms() + wait_ms
        self._scripts.run("pause", (self._key(sender),), (until, wait_ms + KEPT_MS))

    def stop(self, sender: str, *, begun_ms: int, code: str, reason: str, proof: Proof) -> bool:
        """The provider refuses the sender itself: hold all its messages back until it is resumed.

        Args:
            sender: its address.
            begun_ms: when the refused attempt was begun, machine ms UTC; what was begun before the
                sender was last resumed does not stop it again.
            code: the provider's.
            reason: one sentence for staff.
            proof: ``receipt`` where the refusal came by receipt, after the message was accepted.

        Returns:
            Whether it is this call that stopped it.
        """
        args = (self._clock.now_ms(), begun_ms, code, reason, proof, PROBE_MS)
        return int(self._scripts.run("stop", (self._key(sender),), args)) == 1

    def resume(self, name: str, *, by: Proof | Literal["command"], begun_ms: int = 0) -> bool:
        """Let a stopped sender send again; whether it was stopped and goes on now.

        Args:
            name: from ``name``.
            by: how it is known to work.
            begun_ms: when the attempt that proves it was begun; older than the latest refusal, it
                proves nothing.
        """
        args = (self._clock.now_ms(), by, begun_ms, KEPT_MS)
        return bool(self._scripts.run("resume", (keys.rate(name),), args))

    def resume_by(self, sender: str, source: str) -> bool:
        """Let a stopped sender send again because staff say so; whether it was stopped."""
        with store_errors(self._client):
            # First: who resumed it must be told even where this call is cut off behind it.
            self._client.xadd(
                keys.PartitionKeys(0).audit,
                {
                    "what": "sender_resumed",
                    "on": self.name(sender),
                    "by": source,
                    "at": self._clock.now_ms(),
                },
            )
        return self.resume(self.name(sender), by="command")

    def filtered(self, sender: str) -> tuple[int, int]:
        """Count a text that was filtered as unwanted; how many today, and of how many sent."""
        args = (self._clock.now_ms(), KEPT_MS)
        filtered, sent = self._scripts.run("filtered", (self._key(sender),), args)
        return int(filtered), int(sent)

    def closed_until(self, sender: str) -> int | None:
        """When a stopped or paused sender may send again, machine ms UTC; None: it may now."""
        with store_errors(self._client):
            until, probe = self._client.hmget(self._key(sender), ["until", "probe"])
        now = self._clock.now_ms()
        rest = max(0, int(until or 0) - now)
        if probe is not None:
            rest = max(rest, min(int(probe) - now, PROBE_MS), 1)
        return now + rest if rest else None

    def record(self, sender: str) -> SenderRecord:
        """All that is known of a sender."""
        fields = self._scripts.read_hash(self._key(sender))

        def number(field: str) -> int | None:
            return int(fields[field]) if field in fields else None

        until, now = number("until"), self._clock.now_ms()
        today = number("day") == now // 86_400_000
        return SenderRecord(
            stopped_ms=number("stopped"),
            code=fields.get("code", b"").decode(),
            reason=fields.get("reason", b"").decode(),
            probe_ms=number("probe"),
            until_ms=until if until is not None and until > now else None,
            sent=(number("sent") or 0) if today else 0,
            filtered=(number("filtered") or 0) if today else 0,
        )
