"""The tick of beat: find partitions with work and queue one drain for each; move fast time on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import redis

from service.clock import BusinessClock, MachineClock
from service.store import keys
from service.store.connection import store_errors
from service.store.dispatching import DispatchStore, Pending
from service.store.installation import StoredClock

LEADER_TTL_MS = 5_000
"""A beat that stops ticking loses the lead after this; another one takes over."""
QUEUED_TTL_MS = 5_000
"""A drain that was queued and never ran (the broker lost it) is queued again after this."""
GAP_MS = 60_000
"""A silence of the beat longer than this is a gap: texts may have been missed meanwhile."""
TICK_S = 1.0
SOONEST_S = 0.1
FAST_TICK_S = 0.02
FAST_STEP_MAX_S = 0.5
"""However long a fast beat was held up, business time moves on as if it had been this long."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did.

    Attributes:
        led: whether this beat holds the lead; another one ticks where it does not.
        queued: partitions for which a drain was queued.
        idle: nothing is due now and nothing is in flight.
    """

    led: bool
    queued: int = 0
    idle: bool = True


class Ticker:
    """One beat. Two at once are harmless: a drain claims under leases, whoever queued it."""

    def __init__(
        self,
        client: redis.Redis,
        dispatch: DispatchStore,
        partitions: int,
        business: BusinessClock,
        machine: MachineClock,
        queue_drain: Callable[[int], None],
        *,
        name: str,
        factor: float | None,
    ) -> None:
        self._client = client
        self._dispatch = dispatch
        self._partitions = range(partitions)
        self._business = business
        self._machine = machine
        self._queue_drain = queue_drain
        self._name = name
        self._factor = factor
        self._moved_at = machine.monotonic()
        self._begun = False
        self._held = False
        self._next_s = TICK_S

    @property
    def interval_s(self) -> float:
        """Seconds until the next tick: sooner than the usual where something is due sooner."""
        return FAST_TICK_S if self._factor and not self._held else self._next_s

    def tick(self) -> Tick:
        """Do one tick.

        Raises:
            StoreUnavailable: nothing was queued; tick again.
        """
        self._next_s = TICK_S
        if not self._lead():
            self._moved_at = self._machine.monotonic()
            return Tick(led=False)
        pending = self._dispatch.peek(self._partitions)
        business, machine = self._business.now_ms(), self._machine.now_ms()
        busy = [
            partition
            for partition, state in zip(self._partitions, pending, strict=True)
            if _has_work(state, business, machine)
        ]
        # What is left to do afterwards needs a drain, and holds nothing up.
        afterwards = [
            partition
            for partition, state in zip(self._partitions, pending, strict=True)
            if state.after_ms is not None and state.after_ms <= machine
        ]
        queued = self._queue([*busy, *(p for p in afterwards if p not in busy)])
        idle = not busy and not any(state.held for state in pending)
        self._pace(pending, business, idle=idle)
        self._next_s = _until_next(pending, business)
        return Tick(led=True, queued=queued, idle=idle)

    def _lead(self) -> bool:
        """Take or keep the lead, and leave word of this tick for the health checks."""
        with store_errors(self._client):
            taken = self._client.set(keys.LEADER, self._name, nx=True, px=LEADER_TTL_MS)
            if not taken and self._client.get(keys.LEADER) != self._name.encode():
                return False
            pipeline = self._client.pipeline(transaction=False)
            pipeline.pexpire(keys.LEADER, LEADER_TTL_MS)
            now_ms = self._machine.now_ms()
            pipeline.set(keys.LAST_TICK, now_ms, get=True)
            last = pipeline.execute()[1]
            if last is not None and now_ms - int(last) > GAP_MS:
                # Nothing is sent before the opt-outs of that time are known (inbox.listening).
                self._client.set(keys.GAP, last, nx=True)
        return True

    def _queue(self, busy: list[int]) -> int:
        if not busy:
            return 0
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for partition in busy:
                key = keys.PartitionKeys(partition).queued
                pipeline.set(key, 1, nx=True, px=QUEUED_TTL_MS)
            fresh = [p for p, new in zip(busy, pipeline.execute(), strict=True) if new]
        for partition in fresh:
            self._queue_drain(partition)
        return len(fresh)

    def _pace(self, pending: list[Pending], business_ms: int, *, idle: bool) -> None:
        """Move a fast clock on, never past a due instant until everything due then is over.

        It stands still until somebody has been enrolled: months would be over before they were.
        """
        now = self._machine.monotonic()
        elapsed, self._moved_at = min(now - self._moved_at, FAST_STEP_MAX_S), now
        if self._factor is None or not isinstance(self._business, StoredClock) or not idle:
            return
        instants = [state.due_ms for state in pending if state.due_ms is not None]
        self._begun = self._begun or bool(instants)
        if not self._begun:
            return
        target = business_ms + int(elapsed * self._factor * 1000)
        self._held = not self._business.set_ms(min([target, *instants]))


def drain_started(client: redis.Redis, partition: int) -> None:
    """Take away the mark that a partition's drain waits in the broker."""
    with store_errors(client):
        client.delete(keys.PartitionKeys(partition).queued)


def _until_next(pending: list[Pending], business_ms: int) -> float:
    """Seconds until the first of what is not due yet, within bounds."""
    coming = [p.due_ms for p in pending if p.due_ms is not None and p.due_ms > business_ms]
    wait_s = (min(coming, default=business_ms + 1000 * TICK_S) - business_ms) / 1000
    return min(max(wait_s, SOONEST_S), TICK_S)


def _has_work(state: Pending, business_ms: int, machine_ms: int) -> bool:
    held = state.held_ms is not None and state.held_ms <= machine_ms
    return held or state.is_due(business_ms)
