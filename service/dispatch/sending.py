"""Begin, send, record: a few deliveries at once, and what the answers mean beyond them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from schedules.delivery import State
from service.carriers.base import Outcome, OutgoingText, Result
from service.clock import BusinessClock, MachineClock
from service.dispatch.addresses import follow_carrier
from service.dispatch.compose import Composer
from service.dispatch.outcomes import Verdict, verdict
from service.dispatch.parts import Carriers, DrainLimits, Stores
from service.dispatch.places import Places
from service.dispatch.prepare import Details, Ready, conclusion, entry_of, onwards, tried
from service.dispatch.stops import Stops
from service.errors import StoreUnavailable
from service.store.flights import Beginning, Begun, Conclusion

log = structlog.get_logger(__name__)

T = TypeVar("T")

INSIST_S = 600.0
"""How long a worker that knows what became of its attempts waits for the store to come back."""
PAUSE_S = 0.2


class Sending:
    """Sends deliveries that may be begun. One instance is for one thread and its event loop."""

    def __init__(
        self,
        stores: Stores,
        composer: Composer,
        carriers: Carriers,
        business: BusinessClock,
        machine: MachineClock,
        random: Callable[[], float],
        limits: DrainLimits,
        stops: Stops,
    ) -> None:
        self._stores = stores
        self._stops = stops
        self._composer = composer
        self._carriers = carriers
        self._business = business
        self._machine = machine
        self._random = random
        self._limits = limits

    async def send(self, chunk: Sequence[Ready], places: Places) -> None:
        """Begin each where it is still allowed, send those at once, record what became of them.

        Each leaves one of the places as soon as it is answered.

        A store that goes away in between is waited for: only this process can tell what it sent,
        and what it began and did not send. Begun attempts that grew old meanwhile are given back.

        Raises:
            StoreUnavailable: it stayed away for ``INSIST_S``.
        """
        if not chunk:
            return
        # Taken before begin, so that the age of an attempt is never told too small.
        begun_at = self._machine.monotonic()
        begun_ms = self._machine.now_ms()
        answers = await self._insist(partial(self._begin, chunk))
        refused = [
            # The token still holds. Asked again, the policy defers, takes the other channel,
            # or skips; a subscription that was stopped leaves the index.
            conclusion(item.claimed, "due", when_ms=item.claimed.due_ms)
            for item, answer in zip(chunk, answers, strict=True)
            if answer not in {"ok", "lost"}
        ]
        begun = [item for item, answer in zip(chunk, answers, strict=True) if answer == "ok"]
        places.leave(len(chunk) - len(begun))
        # The machine may have slept since the decision, which the monotonic clock does not see.
        now_ms = await self._insist(self._now_ms)
        sends = (self._send(item, begun_at, begun_ms, now_ms, places) for item in begun)
        outcomes = await asyncio.gather(*sends)
        recorded = await self._insist(partial(self._record, begun, outcomes, refused))
        for item, outcome, done in zip(begun, outcomes, recorded, strict=False):
            if not done:
                log.warning("late_record", attempt=item.delivery.attempt, result=outcome.result)

    async def _now_ms(self) -> int:
        return self._business.now_ms()

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated, until the store answers."""
        until = self._machine.monotonic() + INSIST_S
        while True:
            try:
                return await call()
            except StoreUnavailable as error:
                if self._machine.monotonic() > until:
                    raise
                log.warning("store_awaited", fault=str(error))
            await asyncio.sleep(PAUSE_S)

    async def _record(
        self, begun: Sequence[Ready], outcomes: Sequence[Outcome], refused: Sequence[Conclusion]
    ) -> list[bool]:
        ended = [self._ended(item, out) for item, out in zip(begun, outcomes, strict=True)]
        return await self._stores.dispatch.conclude_soon([*ended, *refused])

    async def _begin(self, chunk: Sequence[Ready]) -> list[Begun]:
        begun_ms = self._machine.now_ms()
        lease = begun_ms + int(self._limits.lease_s * 1000)
        beginnings = []
        for item in chunk:
            out = item.outgoing
            digest = self._composer.body_digest
            beginnings.append(
                Beginning(
                    claimed=item.claimed,
                    attempt=item.delivery.attempt,
                    channel=item.delivery.channel,
                    lease_until_ms=lease,
                    cap_day=item.cap_day,
                    begun_ms=begun_ms,
                    body=digest(out.body) if isinstance(out, OutgoingText) else out.mailbox,
                    probe=self._stores.rates.name(item.sender.address) if item.probe else "",
                )
            )
        return await self._stores.dispatch.begin_soon(beginnings)

    async def _send(
        self, item: Ready, begun_at: float, begun_ms: int, now_ms: int, places: Places
    ) -> Outcome:
        """Send, and let no other take the place before what the answer means for it is known.

        What was begun at a business time (``now_ms``) past its window is given back.
        """
        if now_ms > item.begin_by_ms:
            outcome = Outcome(Result.TOO_LATE, "Not sent: the patient's window closed meanwhile.")
        else:
            outcome = await self._carriers.send(item.outgoing.begun(begun_at))
        accepted = outcome.result is Result.ACCEPTED
        if not accepted or outcome.effect or outcome.alert or item.probe:
            await self._insist(partial(self._follow_up, item, outcome, begun_ms))
        places.leave()
        return outcome

    def _ruling(self, item: Ready, outcome: Outcome) -> Verdict:
        subscription = item.claimed.subscription
        ruling = verdict(
            outcome,
            subscription.attempts,
            subscription.failures,
            random=self._random(),
            base_s=self._limits.retry_base_s,
        )
        if ruling.state is State.FAILED and changes_channel(item, outcome):
            # Proven not to have been sent: the policy decides anew, and takes the other channel.
            return replace(ruling, where="due")
        return ruling

    def _ended(self, item: Ready, outcome: Outcome) -> Conclusion:
        claim, ruling = item.claimed, self._ruling(item, outcome)
        attempts = claim.subscription.attempts + int(ruling.counts)
        details = Details(
            expects="bq",
            attempt=item.delivery.attempt,
            frees_day=ruling.nothing_sent,
            provider_id=outcome.provider_id or "",
        )
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
                due_ms=item.due_ms,
            )
            return onwards(claim, entry, item.following_ms, **details)
        waits = ruling.where != "due"
        later_ms = self._machine.now_ms() + int(ruling.wait_s * 1000)
        return tried(
            claim,
            ruling.where,
            when_ms=later_ms if waits else claim.due_ms,
            attempts=attempts,
            failures=claim.subscription.failures + int(ruling.fails),
            **details,
        )

    async def _follow_up(self, item: Ready, outcome: Outcome, begun_ms: int) -> None:
        """What an answer means beyond its own delivery: for the address, for the sender."""
        channel = item.delivery.channel
        follow_carrier(self._stores, item.patient, channel, outcome)
        self._stops.answered(
            item.sender.address, channel, outcome, begun_ms=begun_ms, probe=item.probe
        )


def changes_channel(item: Ready, outcome: Outcome) -> bool:
    """Whether a delivery that was refused for its address goes by the patient's other channel.

    Once: the address that was refused is suppressed by then, so that none is tried twice.
    """
    others = item.claimed.fields.reachable() - {item.delivery.channel}
    return outcome.effect is not None and bool(others)
