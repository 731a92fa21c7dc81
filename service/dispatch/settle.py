"""Settle attempts that were begun and have no outcome, by proof only; never by sending again.

In order: a receipt, which carries the attempt's id; then the provider's own list, by number, time
and text. One candidate settles it; several, or none by the time ``settle_s`` has passed, leave it
*unknown*, which is terminal. An empty list never permits another attempt, since a frozen worker may
still send, and lists lag.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from schedules.calendar import Profile
from schedules.delivery import State
from schedules.errors import ScheduleError
from service.carriers.base import Found, ProviderUnreachable, TextCarrier
from service.clock import BusinessClock, MachineClock
from service.dispatch.compose import Composer
from service.dispatch.parts import Stores
from service.dispatch.prepare import entry_of, onwards
from service.dispatch.standing import due_after, profile_of
from service.errors import AftervisitError
from service.store.dispatching import AttemptRecord, Question
from service.store.records import Claimed, Patient, Subscription

log = structlog.get_logger(__name__)

SWEEP_BATCH = 100
LOOK_AGAIN_MS = 3_000
"""An open question is looked at again after this, machine ms."""
SKEW_MS = 60_000
"""How far the provider's clock may lag ours."""
FAILED_WORDS = frozenset({"failed", "undelivered", "canceled"})


@dataclass(frozen=True, slots=True)
class Settled:
    """What the proof says.

    Attributes:
        reason: a word of ``reasons``.
    """

    state: State
    reason: str
    provider_id: str = ""
    code: str = ""


class Settle:
    """Sweeps a partition's flights and settles what is in question."""

    def __init__(
        self,
        stores: Stores,
        composer: Composer,
        texts: TextCarrier | None,
        business: BusinessClock,
        machine: MachineClock,
        settle_s: float,
    ) -> None:
        self._stores = stores
        self._composer = composer
        self._texts = texts
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
            settled = await self._proof(attempt, patient)
            if settled is not None:
                self._record(question, subscription, profile, attempt, settled)
        except (AftervisitError, ScheduleError, ProviderUnreachable) as error:
            log.warning("unsettled", attempt=question.flight.attempt, fault=str(error))
        except Exception as error:  # noqa: BLE001 - one question must not hold up the others
            name = type(error).__name__
            log.error("unsettled", attempt=question.flight.attempt, fault=name)

    async def _proof(self, attempt: AttemptRecord | None, patient: Patient) -> Settled | None:
        """The outcome where it is proven, *unknown* once the time is up, None to look again."""
        if attempt is None:
            return Settled(State.UNKNOWN, "no_answer")
        if attempt.receipt:
            state = State.from_code(attempt.receipt)
            return Settled(state, "receipt", attempt.provider_id, attempt.code)
        late = self._machine.now_ms() >= attempt.begun_ms + self._settle_ms
        if attempt.channel == "sms" and self._texts is not None and patient.phone:
            try:
                listed = await self._texts.find(patient.phone, attempt.begun_ms - SKEW_MS)
            except ProviderUnreachable:
                if not late:
                    raise
                listed = []
            matches = [item for item in listed if self._is_it(item, attempt)]
            if len(matches) == 1:
                return _from_list(matches[0])
        return Settled(State.UNKNOWN, "no_answer") if late else None

    def _is_it(self, item: Found, attempt: AttemptRecord) -> bool:
        return self._composer.body_digest(item.body) == attempt.body

    def _record(
        self,
        question: Question,
        subscription: Subscription,
        profile: Profile,
        attempt: AttemptRecord | None,
        settled: Settled,
    ) -> None:
        claim = Claimed(
            question.fields, subscription, question.flight.token, question.flight.due_ms
        )
        entry = entry_of(
            subscription,
            profile,
            settled.state,
            settled.reason,
            self._business.now_ms(),
            channel=attempt.channel if attempt else "",
            attempts=subscription.attempts + 1,
        )
        entry = replace(entry, code=settled.code, provider_id=settled.provider_id)
        recorded = self._stores.dispatch.conclude(
            [
                replace(
                    onwards(claim, entry, due_after(subscription, subscription.index + 1, profile)),
                    expects="bq",
                    attempt=question.flight.attempt,
                    provider_id=settled.provider_id,
                )
            ]
        )
        log.info(
            "settled",
            attempt=question.flight.attempt,
            state=settled.state.value,
            reason=settled.reason,
            recorded=recorded[0],
        )


def _from_list(item: Found) -> Settled:
    state = State.SENT
    if item.status == "delivered":
        state = State.DELIVERED
    elif item.status in FAILED_WORDS:
        state = State.UNDELIVERED
    return Settled(state, "found", item.provider_id, item.code or "")
