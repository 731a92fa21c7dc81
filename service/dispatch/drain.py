"""Drain a partition: claim what is due, decide, keep to the senders' rates, send.

A worker may be killed between any two lines. What is claimed and not begun becomes due again when
its lease runs out; what is begun is never attempted again without proof (see ``settle``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.clock import BusinessClock, MachineClock
from service.dispatch.parts import DrainLimits, Stores
from service.dispatch.prepare import Preparer, Ready, conclusion
from service.dispatch.senders import Sender
from service.dispatch.sending import Sending
from service.store.flights import Conclusion
from service.store.records import Claimed

BATCH = 128
"""Subscriptions claimed at a time: whole chunks at the usual limit; a millisecond of the store."""


class Drain:
    """Sends what is due in a partition. One instance is for one thread and its event loop."""

    def __init__(
        self,
        stores: Stores,
        preparer: Preparer,
        sending: Sending,
        business: BusinessClock,
        machine: MachineClock,
        limits: DrainLimits,
    ) -> None:
        self._stores = stores
        self._business = business
        self._machine = machine
        self._limits = limits
        self._preparer = preparer
        self._sending = sending

    async def run(self, partition: int) -> int:
        """Send until nothing is due or the time budget is used up; how many flights were concluded.

        Raises:
            StoreUnavailable: what was not recorded is found by the sweep.
        """
        deadline = self._machine.monotonic() + self._limits.budget_s
        concluded = 0
        while self._machine.monotonic() < deadline:
            until = self._machine.monotonic() + self._limits.lease_s / 2
            lease_end = self._machine.now_ms() + int(self._limits.lease_s * 1000)
            claimed = self._stores.dispatch.claim(
                partition, self._business.now_ms(), BATCH, lease_end
            )
            if not claimed:
                break
            await self._batch([c for c in claimed if not c.subscription.lost_leases], until)
            await self._one_by_one([c for c in claimed if c.subscription.lost_leases], until)
            concluded += len(claimed)
        return concluded

    async def _one_by_one(self, suspects: Sequence[Claimed], until: float) -> None:
        """Each alone, and counted, so that a poison delivery takes no other down with it."""
        for place, suspect in enumerate(suspects):
            if self._machine.monotonic() > until:
                self._stores.dispatch.conclude([_back(claim) for claim in suspects[place:]])
                return
            self._stores.dispatch.suspect(suspect)
            await self._batch([suspect], until)

    async def _batch(self, claimed: Sequence[Claimed], until: float) -> None:
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
        for start in range(0, len(granted), self._limits.in_flight):
            chunk: Sequence[Ready] = granted[start : start + self._limits.in_flight]
            if start:
                chunk = self._still_good(chunk, until)
            await self._sending.send(chunk)

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
            waiting += self._held(items[grant.count :], grant.wait_ms)
        return granted, waiting

    def _held(self, items: Sequence[Ready], wait_ms: int) -> list[Conclusion]:
        """Items of a sender that has to wait, each until its turn at the sender's rate."""
        first = self._machine.now_ms() + wait_ms
        return [
            conclusion(
                item.claimed, "hold", when_ms=first + int(turn * 1000 / item.sender.per_second)
            )
            for turn, item in enumerate(items)
        ]

    def _still_good(self, chunk: Sequence[Ready], until: float) -> list[Ready]:
        """What may still begin: the chunks before took their time, and may have closed a sender."""
        now_ms = self._business.now_ms()
        if self._machine.monotonic() > until:
            self._stores.dispatch.conclude([_back(item.claimed) for item in chunk])
            return []
        late = [item for item in chunk if now_ms > item.begin_by_ms]
        elsewhere = [conclusion(item.claimed, "due", when_ms=item.claimed.due_ms) for item in late]
        good: list[Ready] = []
        in_time = [item for item in chunk if now_ms <= item.begin_by_ms]
        for sender in {item.sender for item in in_time}:
            items = [item for item in in_time if item.sender == sender]
            wait_ms = self._stores.rates.closed_ms(sender.address)
            if wait_ms:
                elsewhere += self._held(items, wait_ms)
            else:
                good += items
        self._stores.dispatch.conclude(elsewhere)
        return good


def _back(claim: Claimed) -> Conclusion:
    """Give a claim back, not worked on, while its lease holds."""
    return conclusion(claim, "back", when_ms=claim.due_ms)
