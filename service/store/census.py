"""How many replicas of a primary could be promoted: so many must have a write on disk.

A replica counts even while it is down or cut off, for it may come back just when its primary is
lost, and be promoted without what was written in between. It counts no longer when it has been
taken out of the set (``SENTINEL RESET``, ``CLUSTER FORGET``), or is marked as never to be promoted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from redis.sentinel import Sentinel

FRESH_S = 10.0
"""How long a count is relied on. Sentinels look for new replicas as often."""
_NOT_PROMOTED = frozenset({"noaddr", "handshake", "nofailover"})
"""Flags of a cluster's nodes that nobody elects."""


class Census:
    """A count that is asked for now and then, and whenever it was doubted."""

    def __init__(
        self, ask: Callable[[], int | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Count with ``ask``, which answers None where nobody can be asked."""
        self._ask = ask
        self._monotonic = monotonic
        self._known: int | None = None
        self._until = 0.0

    def count(self) -> int:
        """How many replicas; the last known number where nobody answers.

        Raises:
            redis.ConnectionError: nobody ever answered.
        """
        known = self._known
        if known is not None and self._monotonic() < self._until:
            return known
        counted = self._ask()
        if counted is None:
            if known is None:
                raise redis.ConnectionError("nobody tells which replicas the primary has")
            return known
        self._known, self._until = counted, self._monotonic() + FRESH_S
        return counted

    def doubt(self) -> None:
        """Ask anew next time: a write was not confirmed by as many."""
        self._until = 0.0


def known_to_sentinels(sentinels: Sentinel, service: str) -> set[tuple[str, int]] | None:
    """Where the replicas are that the Sentinels could promote; None where none of them answers.

    Those with priority 0 are never promoted. After a fail-over the lost primary is one of them.
    """
    found: set[tuple[str, int]] = set()
    answered = False
    for sentinel in tuple(sentinels.sentinels):
        try:
            replicas = sentinel.sentinel_slaves(service)
        except redis.RedisError:
            continue
        answered = True
        found |= {(each["ip"], each["port"]) for each in replicas if each["slave-priority"] != 0}
    return found if answered else None


def counted_by_sentinels(sentinels: Sentinel, service: str) -> int | None:
    """How many replicas the Sentinels could promote; None where none of them answers."""
    known = known_to_sentinels(sentinels, service)
    return None if known is None else len(known)


def counted_by_cluster(node: redis.Redis) -> int | None:
    """Replicas of a cluster's primary that could be promoted, as the primary itself has it."""
    try:
        nodes: Mapping[str, dict[str, Any]] = node.execute_command("CLUSTER NODES")  # type: ignore[no-untyped-call]
    except redis.RedisError:
        return None
    flags = {told["node_id"]: set(told["flags"].split(",")) for told in nodes.values()}
    own = next(identifier for identifier, marks in flags.items() if "myself" in marks)
    replicas = [told["node_id"] for told in nodes.values() if told["master_id"] == own]
    return sum(not flags[identifier] & _NOT_PROMOTED for identifier in replicas)
