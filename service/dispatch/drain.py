"""Drain a partition: claim what is due, decide, begin, send many at once, record what became of it.

A worker may be killed between any two lines. What is claimed and not begun becomes due again when
its lease runs out; what is begun is never attempted again without proof (see ``settle``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from service.carriers.base import (
    AddressEffect,
    EmailCarrier,
    Outcome,
    OutgoingEmail,
    OutgoingText,
    Result,
    TextCarrier,
)
from service.clock import BusinessClock, MachineClock
from service.dispatch.compose import Composer
from service.dispatch.outcomes import verdict
from service.dispatch.prepare import Preparer, Ready, conclusion, entry_of, onwards
from service.dispatch.senders import Sender
from service.store.dispatching import Beginning, Begun, Conclusion, DispatchStore
from service.store.patients import Patients
from service.store.rates import Rates
from service.store.records import Claimed
from service.store.suppressions import Suppressions

log = structlog.get_logger(__name__)

BATCH = 100
"""Subscriptions claimed at a time; 100 cost the store about a millisecond."""


@dataclass(frozen=True, slots=True)
class DrainLimits:
    """How much one drain does at once.

    Attributes:
        in_flight: sends under way at once, and begun ahead of their send.
        lease_s: how long a claim holds, machine seconds.
        budget_s: after this a drain stops claiming; the next tick goes on.
        retry_base_s: back-off before a first retry.
    """

    in_flight: int = 32
    lease_s: float = 60.0
    budget_s: float = 5.0
    retry_base_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Stores:
    """The parts of the store that dispatch works on."""

    dispatch: DispatchStore
    patients: Patients
    suppressions: Suppressions
    rates: Rates


@dataclass(frozen=True, slots=True)
class Carriers:
    """The carriers that are configured."""

    texts: TextCarrier | None
    emails: EmailCarrier | None


class Drain:
    """Sends what is due in a partition. One instance is for one thread and its event loop."""

    def __init__(
        self,
        stores: Stores,
        composer: Composer,
        carriers: Carriers,
        business: BusinessClock,
        machine: MachineClock,
        random: Callable[[], float],
        limits: DrainLimits,
    ) -> None:
        self._stores = stores
        self._composer = composer
        self._carriers = carriers
        self._business = business
        self._machine = machine
        self._random = random
        self._limits = limits
        self._preparer = Preparer(stores.patients, composer, business, machine)

    async def run(self, partition: int) -> int:
        """Send until nothing is due or the time budget is used up; how many flights were concluded.

        Raises:
            StoreUnavailable: what was not recorded is found by the sweep.
        """
        deadline = self._machine.monotonic() + self._limits.budget_s
        concluded = 0
        while self._machine.monotonic() < deadline:
            claimed = self._stores.dispatch.claim(
                partition, self._business.now_ms(), BATCH, self._lease_end()
            )
            if not claimed:
                break
            suspects = [c for c in claimed if c.subscription.lost_leases]
            await self._batch([c for c in claimed if not c.subscription.lost_leases])
            for suspect in suspects:
                # Alone, so that a poison delivery takes no other down with it.
                await self._batch([suspect])
            concluded += len(claimed)
        return concluded

    def _lease_end(self) -> int:
        return self._machine.now_ms() + int(self._limits.lease_s * 1000)

    async def _batch(self, claimed: Sequence[Claimed]) -> None:
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
            chunk = granted[start : start + self._limits.in_flight]
            await self._send_chunk(self._still_in_time(chunk))

    def _rated(self, ready: Sequence[Ready]) -> tuple[list[Ready], list[Conclusion]]:
        """Split by what the senders' rates allow now; the rest is held for its turn."""
        by_sender: dict[Sender, list[Ready]] = {}
        for item in ready:
            by_sender.setdefault(item.sender, []).append(item)
        granted: list[Ready] = []
        waiting: list[Conclusion] = []
        now, rates = self._machine.now_ms(), self._stores.rates
        for sender, items in by_sender.items():
            count, wait_ms = 0, rates.stopped_ms(sender.address)
            if not wait_ms:
                count, wait_ms = rates.take(sender.address, len(items), sender.per_second)
            granted += items[:count]
            for turn, item in enumerate(items[count:]):
                when = now + wait_ms + int(turn * 1000 / sender.per_second)
                waiting.append(conclusion(item.claimed, "hold", when_ms=when))
        return granted, waiting

    def _still_in_time(self, chunk: Sequence[Ready]) -> list[Ready]:
        """What may still begin; chunks before it took their time, so the rest is decided anew."""
        now_ms = self._business.now_ms()
        late = [item for item in chunk if now_ms > item.begin_by_ms]
        self._stores.dispatch.conclude(
            [conclusion(item.claimed, "due", when_ms=item.claimed.due_ms) for item in late]
        )
        return [item for item in chunk if now_ms <= item.begin_by_ms]

    async def _send_chunk(self, chunk: Sequence[Ready]) -> None:
        # Taken before begin, so that the age of an attempt is never told too small.
        begun_at = self._machine.monotonic()
        answers = self._begin(chunk)
        begun = [item for item, answer in zip(chunk, answers, strict=True) if answer == "ok"]
        self._stores.dispatch.conclude(
            [
                # The token still holds. Asked again, the policy defers, takes the other channel,
                # or skips; a subscription that was stopped leaves the index.
                conclusion(item.claimed, "due", when_ms=item.claimed.due_ms)
                for item, answer in zip(chunk, answers, strict=True)
                if answer not in {"ok", "lost"}
            ]
        )
        outcomes = await asyncio.gather(*(self._send(item, begun_at) for item in begun))
        ended = [self._ended(item, out) for item, out in zip(begun, outcomes, strict=True)]
        recorded = self._stores.dispatch.conclude(ended)
        for item, outcome, done in zip(begun, outcomes, recorded, strict=True):
            if not done:
                log.warning("late_record", attempt=item.delivery.attempt, result=outcome.result)
            self._follow_up(item, outcome)

    def _begin(self, chunk: Sequence[Ready]) -> list[Begun]:
        lease, begun_ms = self._lease_end(), self._machine.now_ms()
        beginnings = []
        for item in chunk:
            text = item.outgoing if isinstance(item.outgoing, OutgoingText) else None
            beginnings.append(
                Beginning(
                    claimed=item.claimed,
                    attempt=item.delivery.attempt,
                    channel=item.delivery.channel,
                    lease_until_ms=lease,
                    cap_day=item.cap_day,
                    begun_ms=begun_ms,
                    body=self._composer.body_digest(text.body) if text else "",
                )
            )
        return self._stores.dispatch.begin(beginnings)

    async def _send(self, item: Ready, begun_at: float) -> Outcome:
        outgoing = replace(item.outgoing, begun_at=begun_at)
        if isinstance(outgoing, OutgoingText) and self._carriers.texts is not None:
            return await self._carriers.texts.send(outgoing)
        if isinstance(outgoing, OutgoingEmail) and self._carriers.emails is not None:
            return await self._carriers.emails.send(outgoing)
        return Outcome(Result.STOPPED, "This channel has no carrier; configure it.")

    def _ended(self, item: Ready, outcome: Outcome) -> Conclusion:
        claim = item.claimed
        made, jitter = claim.subscription.attempts, self._random()
        ruling = verdict(outcome, made, random=jitter, base_s=self._limits.retry_base_s)
        attempts = made + int(ruling.counts)
        if ruling.where == "next":
            entry = entry_of(
                claim.subscription,
                item.profile,
                ruling.state,
                ruling.reason,
                self._business.now_ms(),
                channel=item.delivery.channel,
                attempts=attempts,
                outcome=outcome,
            )
            ended = onwards(claim, item.profile, entry)
        else:
            when = self._machine.now_ms() + int(ruling.wait_s * 1000)
            ended = replace(
                conclusion(claim, ruling.where, when_ms=when),
                cursor=(claim.subscription.index, attempts),
            )
        return replace(
            ended,
            expects="bq",
            attempt=item.delivery.attempt,
            frees_day=ruling.nothing_sent,
            provider_id=outcome.provider_id or "",
        )

    def _follow_up(self, item: Ready, outcome: Outcome) -> None:
        """What an answer means beyond its own delivery: for the address, for the sender."""
        channel, rates = item.delivery.channel, self._stores.rates
        address = item.patient.address(channel)
        if outcome.effect is not None and address:
            opted_out = outcome.effect is AddressEffect.OPTED_OUT
            self._stores.suppressions.suppress(
                channel,
                self._stores.suppressions.digest(channel, address),
                reason="provider_opt_out" if opted_out else "invalid",
                source=f"carrier:{outcome.code or ''}",
            )
        if outcome.result is Result.STOPPED:
            rates.stop(item.sender.address, outcome.reason)
        elif outcome.result is Result.TRANSIENT and outcome.retry_after_s:
            rates.pause(item.sender.address, outcome.retry_after_s)
        if outcome.alert or outcome.result is Result.STOPPED:
            log.error("carrier_alert", channel=channel, code=outcome.code, reason=outcome.reason)
