"""What is left to do about an attempt after its series has gone on.

Proof of an unknown text is looked for on, seldomer and seldomer, as long as its attempt is on
record: once the provider's list can be read again, or shows what it hid, the outcome is corrected.
And the text of a message that is over is redacted at the provider, as often as it takes.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from service.carriers.base import ProviderUnreachable, TextCarrier
from service.clock import MachineClock
from service.dispatch.evidence import Evidence
from service.dispatch.parts import Stores
from service.dispatch.receipts import Receipts
from service.errors import AftervisitError, StoreUnavailable
from service.store.dispatching import Afterwards, AttemptRecord

log = structlog.get_logger(__name__)

BATCH: Final = 32
SOONEST_MS: Final = 3_000
SELDOMEST_MS: Final = 3_600_000
REDACT_AGAIN_MS: Final = 60_000
"""A text that the provider would not redact (it may still be on its way) is tried again then."""


class AfterwardsWork:
    """Settles the unsettled and redacts what is over, a batch for each drain of a partition."""

    def __init__(
        self,
        stores: Stores,
        evidence: Evidence,
        receipts: Receipts,
        texts: TextCarrier | None,
        machine: MachineClock,
    ) -> None:
        self._stores = stores
        self._evidence = evidence
        self._receipts = receipts
        self._texts = texts
        self._machine = machine

    async def run(self, partition: int) -> int:
        """Do what is to be done now, many at once; how many attempts were looked at.

        Raises:
            StoreUnavailable: it is done later.
        """
        found = self._stores.dispatch.afterwards(partition, self._machine.now_ms(), BATCH)
        await asyncio.gather(*(self._one(one) for one in found))
        return len(found)

    async def _one(self, task: Afterwards) -> None:
        attempt = self._stores.dispatch.attempt(task.attempt)
        if attempt is None:
            self._stores.dispatch.no_more(task)
            return
        work = self._settle if task.kind == "x" else self._redact
        again_ms: int | None = SELDOMEST_MS
        try:
            if self._texts is not None:  # else: until texts are set up again
                again_ms = await work(task.attempt, attempt)
        except StoreUnavailable:
            raise
        except ProviderUnreachable as error:
            again_ms = self._later(attempt)
            log.warning("unsettled", attempt=task.attempt, fault=str(error))
        except AftervisitError as error:
            log.warning("unsettled", attempt=task.attempt, fault=str(error))
        except Exception as error:  # noqa: BLE001 - one attempt must not hold up the others
            log.error("unsettled", attempt=task.attempt, fault=type(error).__name__)
        if again_ms is None:
            self._stores.dispatch.no_more(task)
        else:
            self._stores.dispatch.look_again(task, self._machine.now_ms() + again_ms)

    def _later(self, attempt: AttemptRecord) -> int:
        """How long to wait before the next look: a quarter of its age, within bounds."""
        age_ms = self._machine.now_ms() - attempt.begun_ms
        return min(max(age_ms // 4, SOONEST_MS), SELDOMEST_MS)

    async def _settle(self, name: str, attempt: AttemptRecord) -> int | None:
        if attempt.receipt:  # the provider has spoken since; what it says of 30008 is all it knows
            return None
        fields = self._stores.patients.find(attempt.patient)
        if fields is None:
            return None  # erased meanwhile
        patient = self._stores.patients.contact(fields)
        receipt = await self._evidence.found(name, attempt, patient)
        if receipt is None:
            return self._later(attempt)
        self._receipts.apply(receipt)
        log.info("settled", attempt=name, state=receipt.word, reason="found", late=True)
        return None

    async def _redact(self, _name: str, attempt: AttemptRecord) -> int | None:
        if not attempt.provider_id or self._texts is None:
            return None
        try:
            await self._texts.redact(attempt.provider_id)
        except ProviderUnreachable:
            return REDACT_AGAIN_MS
        return None
