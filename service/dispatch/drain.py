"""Drain a partition: claim what is due, decide, keep to the senders' rates, send.

A worker may be killed between any two lines. What is claimed and not begun becomes due again when
its lease runs out; what is begun is never attempted again without proof (see ``settle``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from service.clock import BusinessClock, MachineClock
from service.dispatch.parts import DrainLimits, Stores
from service.dispatch.places import Places, Room
from service.dispatch.prepare import Preparer, Ready, conclusion
from service.dispatch.senders import Sender
from service.dispatch.sending import Sending
from service.errors import StoreUnavailable
from service.store.flights import Conclusion
from service.store.records import Claimed

BATCH = 128
"""Subscriptions claimed at a time: whole chunks at the usual limit; a millisecond of the store."""
LANES = 3
"""Batches under way at once: one waits for the provider, another for its turn or for the store."""

HASTE_S = 0.02
"""How long a lane waits for what it has set off. Quick answers make for large chunks, which cost
the store least; where they take their time, the lane fills the room with more."""


@dataclass
class _Work:
    """One drain's.

    Attributes:
        partition: the one that is claimed from now.
        deadline: monotonic seconds after which nothing is claimed any more.
        suspects: claims that may be poison, each with the instant at which it is given back.
        elsewhere: other partitions that had something due.
        sends: chunks that were begun.
        claimed: subscriptions so far.
    """

    partition: int
    deadline: float
    suspects: list[tuple[Claimed, float]] = field(default_factory=list)
    elsewhere: deque[int] = field(default_factory=deque)
    sends: list[asyncio.Task[None]] = field(default_factory=list)
    claimed: int = 0


class Drain:
    """Sends what is due. One instance is for one thread and its event loop."""

    def __init__(
        self,
        stores: Stores,
        preparer: Preparer,
        sending: Sending,
        business: BusinessClock,
        machine: MachineClock,
        limits: DrainLimits,
        partitions: int,
    ) -> None:
        self._stores = stores
        self._partitions = range(partitions)
        self._business = business
        self._machine = machine
        self._limits = limits
        self._preparer = preparer
        self._sending = sending
        self._room = Room(limits.in_flight)
        self._stopping = False

    def stop(self) -> None:
        """Begin nothing any more; what is begun is ended, the rest given back. For a signal."""
        self._stopping = True

    async def run(self, partition: int) -> int:
        """Send until nothing is due or the time budget is used up; how many flights were concluded.

        It begins with one partition and goes on with others: a few messages in each of many
        partitions are not enough to keep a provider busy that takes its time.

        Raises:
            StoreUnavailable: what was not recorded is found by the sweep.
        """
        work = _Work(partition, self._machine.monotonic() + self._limits.budget_s)
        lanes = (self._lane(work) for _ in range(LANES))
        ended = await asyncio.gather(*lanes, return_exceptions=True)
        ended += await asyncio.gather(*work.sends, return_exceptions=True)
        await self._one_by_one(work)
        for fault in ended:
            if fault is not None:
                raise fault
        return work.claimed

    async def _lane(self, work: _Work) -> None:
        """Claim and send batch after batch; what may be poison is left for later, to go alone."""
        while not self._stopping and self._machine.monotonic() < work.deadline:
            until = self._machine.monotonic() + self._limits.lease_s / 2
            claimed = await self._claim(work)
            if not claimed:
                return
            work.suspects += [(c, until) for c in claimed if c.subscription.lost_leases]
            clean = [c for c in claimed if not c.subscription.lost_leases]
            await self._batch(work, clean, until)

    async def _claim(self, work: _Work) -> list[Claimed]:
        """Enough to fill the room for sends, from as many partitions as that takes."""
        lease_end = self._machine.now_ms() + int(self._limits.lease_s * 1000)
        now_ms, claimed = self._business.now_ms(), list[Claimed]()
        while len(claimed) < self._limits.in_flight:
            found = await self._stores.dispatch.claim_soon(work.partition, now_ms, BATCH, lease_end)
            claimed += found
            work.claimed += len(found)
            if not found and not self._go_on(work):
                break
        return claimed

    def _go_on(self, work: _Work) -> bool:
        """Turn to the next partition that has something due; False where none has.

        A drain that found nothing in its own came late, and looks no further.
        """
        if not work.elsewhere and work.claimed:
            pending = self._stores.dispatch.peek(self._partitions)
            now_ms = self._business.now_ms()
            due = [number for number, state in enumerate(pending) if state.is_due(now_ms)]
            # Those after its own first, so that processes keep out of each other's way.
            work.elsewhere.extend(sorted(due, key=lambda number: (number < work.partition, number)))
        if not work.elsewhere:
            return False
        work.partition = work.elsewhere.popleft()
        return True

    async def _one_by_one(self, work: _Work) -> None:
        """Each alone, and counted, so that a poison delivery takes no other down with it."""
        for suspect, until in work.suspects:
            if self._too_late(until):
                self._stores.dispatch.conclude([_back(suspect)])
                continue
            self._stores.dispatch.suspect(suspect)
            before = len(work.sends)
            try:
                await self._batch(work, [suspect], until)
                await asyncio.gather(*work.sends[before:])
            except StoreUnavailable:
                self._stores.dispatch.absolve(suspect)
                raise
            self._stores.dispatch.absolve(suspect)

    async def _batch(self, work: _Work, claimed: Sequence[Claimed], until: float) -> None:
        """Prepare claims, and set them off chunk by chunk as there is room for them."""
        ready: list[Ready] = []
        elsewhere: list[Conclusion] = []
        for claim in claimed:
            found = self._preparer.prepare(claim)
            if isinstance(found, Ready):
                ready.append(found)
            else:
                elsewhere.append(found)
        granted, waiting = self._rated(ready)
        self._stores.dispatch.conclude(elsewhere + waiting)
        first = True
        while granted:
            places = await self._room.take(len(granted))
            try:
                if not first or places.waited:
                    granted = self._still_good(granted, until)
            except BaseException:
                places.leave(places.count)
                raise
            first = False
            chunk, granted = granted[: places.count], granted[places.count :]
            places.leave(places.count - len(chunk))
            sending = asyncio.create_task(self._sent(chunk, places))
            work.sends.append(sending)
            await asyncio.wait((sending,), timeout=HASTE_S)

    async def _sent(self, chunk: Sequence[Ready], places: Places) -> None:
        async with places:
            await self._sending.send(chunk, places)

    def _rated(self, ready: Sequence[Ready]) -> tuple[list[Ready], list[Conclusion]]:
        """Split by what the senders' rates allow now; the rest is held for its turn."""
        by_sender: dict[Sender, list[Ready]] = {}
        for item in ready:
            by_sender.setdefault(item.sender, []).append(item)
        granted: list[Ready] = []
        waiting: list[Conclusion] = []
        rates = self._stores.rates
        for sender, items in by_sender.items():
            grant = rates.take(sender.address, len(items), sender.per_second)
            taken = items[: grant.count]
            granted += [replace(item, probe=True) for item in taken] if grant.probe else taken
            waiting += self._held(items[grant.count :], grant.next_ms)
        return granted, waiting

    @staticmethod
    def _held(items: Sequence[Ready], first_ms: int) -> list[Conclusion]:
        """Items of a sender that has to wait, each until its turn at the sender's rate."""
        return [
            conclusion(
                item.claimed, "hold", when_ms=first_ms + int(turn * 1000 / item.sender.per_second)
            )
            for turn, item in enumerate(items)
        ]

    def _too_late(self, until: float) -> bool:
        return self._stopping or self._machine.monotonic() > until

    def _still_good(self, rest: Sequence[Ready], until: float) -> list[Ready]:
        """What may still begin: those before took their time, and may have closed a sender."""
        now_ms = self._business.now_ms()
        if self._too_late(until):
            self._stores.dispatch.conclude([_back(item.claimed) for item in rest])
            return []
        late = [item for item in rest if now_ms > item.begin_by_ms]
        elsewhere = [conclusion(item.claimed, "due", when_ms=item.claimed.due_ms) for item in late]
        good: list[Ready] = []
        in_time = [item for item in rest if now_ms <= item.begin_by_ms]
        for sender in {item.sender for item in in_time}:
            items = [item for item in in_time if item.sender == sender]
            closed_until_ms = self._stores.rates.closed_until(sender.address)
            if closed_until_ms is None:
                good += items
            else:
                elsewhere += self._held(items, closed_until_ms)
        self._stores.dispatch.conclude(elsewhere)
        return good


def _back(claim: Claimed) -> Conclusion:
    """Give a claim back, not worked on, while its lease holds."""
    return conclusion(claim, "back", when_ms=claim.due_ms)
