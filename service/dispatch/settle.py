"""Settle attempts that were begun and have no outcome, by proof only; never by sending again.

In order: a receipt, which carries the attempt's id; then the provider's own list (see
``evidence``). Where neither proves anything by the time ``settle_s`` has passed, the outcome is
recorded as *unknown* and the series goes on; proof of a text is looked for after that as well (see
``afterwards``). An empty list never permits another attempt, since a frozen worker may still send,
and lists lag.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from schedules.calendar import Profile
from schedules.delivery import State
from schedules.errors import ScheduleError
from service.carriers.base import ProviderUnreachable
from service.clock import BusinessClock, MachineClock
from service.dispatch.evidence import Evidence
from service.dispatch.parts import Stores
from service.dispatch.prepare import entry_of, onwards
from service.dispatch.receipts import Receipts
from service.dispatch.standing import profile_of
from service.dispatch.turns import following_ms, turned
from service.errors import AftervisitError
from service.store.dispatching import AttemptRecord, Question
from service.store.records import Claimed, Patient, Subscription

log = structlog.get_logger(__name__)

SWEEP_BATCH = 100
LOOK_AGAIN_MS = 3_000
"""An open question is looked at again after this, machine ms."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the proof says.

    Attributes:
        state: sent where a receipt is on record; the record then says what that proved.
        reason: a word of ``reasons``.
    """

    state: State
    reason: str
    provider_id: str = ""


class Settle:
    """Sweeps a partition's flights and settles what is in question."""

    def __init__(
        self,
        stores: Stores,
        evidence: Evidence,
        receipts: Receipts,
        business: BusinessClock,
        machine: MachineClock,
        settle_s: float,
    ) -> None:
        self._stores = stores
        self._evidence = evidence
        self._receipts = receipts
        self._business = business
        self._machine = machine
        self._settle_ms = int(settle_s * 1000)

    async def run(self, partition: int) -> int:
        """Give back what was not begun, settle what was; how many questions were looked at."""
        looked = 0
        while True:
            now = self._machine.now_ms()
            questions = self._stores.dispatch.sweep(
                partition, now, SWEEP_BATCH, now + LOOK_AGAIN_MS
            )
            await asyncio.gather(*(self._settle(question) for question in questions))
            looked += len(questions)
            if len(questions) < SWEEP_BATCH:
                return looked

    async def _settle(self, question: Question) -> None:
        subscription = question.fields.subscription(question.subscription)
        attempt = self._stores.dispatch.attempt(question.flight.attempt)
        if subscription is None:
            return
        try:
            patient = self._stores.patients.contact(question.fields)
            profile = profile_of(patient, question.fields.reachable())
            settled = await self._proof(question.flight.attempt, attempt, patient)
            if settled is not None:
                self._record(question, subscription, profile, attempt, settled)
        except (AftervisitError, ScheduleError, ProviderUnreachable) as error:
            log.warning("unsettled", attempt=question.flight.attempt, fault=str(error))
        except Exception as error:  # noqa: BLE001 - one question must not hold up the others
            name = type(error).__name__
            log.error("unsettled", attempt=question.flight.attempt, fault=name)

    async def _proof(
        self, name: str, attempt: AttemptRecord | None, patient: Patient
    ) -> Settled | None:
        """The outcome where it is proven, *unknown* once the time is up, None to look again."""
        if attempt is None:
            return Settled(State.UNKNOWN, "no_answer")
        if attempt.receipt:
            return Settled(State.SENT, "receipt", attempt.provider_id)
        late = self._machine.now_ms() >= attempt.begun_ms + self._settle_ms
        try:
            receipt = await self._evidence.found(name, attempt, patient)
        except ProviderUnreachable:
            if not late:
                raise
            receipt = None
        if receipt is not None and self._receipts.apply(receipt):
            return Settled(State.SENT, "found", receipt.provider_id)
        return Settled(State.UNKNOWN, "no_answer") if late else None

    def _record(
        self,
        question: Question,
        subscription: Subscription,
        profile: Profile,
        attempt: AttemptRecord | None,
        settled: Settled,
    ) -> None:
        flight = question.flight
        claim = Claimed(question.fields, subscription, flight.token, flight.due_ms)
        if attempt is not None:
            claim = turned(claim, attempt.index)
        entry = entry_of(
            claim.subscription,
            profile,
            settled.state,
            settled.reason,
            self._business.now_ms(),
            channel=attempt.channel if attempt else "",
            attempts=claim.subscription.attempts + 1,
        )
        entry = replace(entry, provider_id=settled.provider_id)
        ended = onwards(
            claim,
            entry,
            following_ms(claim, profile),
            expects="bq",
            attempt=flight.attempt,
            provider_id=settled.provider_id,
        )
        recorded = self._stores.dispatch.conclude([ended])
        log.info(
            "settled",
            attempt=question.flight.attempt,
            state=settled.state.value,
            reason=settled.reason,
            recorded=recorded[0],
        )
