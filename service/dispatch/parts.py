"""The parts that dispatch is built from: stores, carriers, limits."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from service.carriers.base import (
    EmailCarrier,
    Outcome,
    OutgoingEmail,
    OutgoingText,
    Result,
    TextCarrier,
)
from service.store.dispatching import DispatchStore
from service.store.patients import Patients
from service.store.rates import Rates
from service.store.suppressions import Suppressions
from service.store.tasks import Tasks

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DrainLimits:
    """How much one drain does at once.

    Attributes:
        in_flight: sends under way at once, and begun ahead of their send.
        lease_s: how long a claim holds, machine seconds; in its second half nothing is begun.
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
    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Carriers:
    """The carriers that are configured."""

    texts: TextCarrier | None
    emails: EmailCarrier | None

    async def send(self, outgoing: OutgoingText | OutgoingEmail) -> Outcome:
        """Send by the message's own carrier; never raises for what becomes of it."""
        try:
            if isinstance(outgoing, OutgoingText) and self.texts is not None:
                return await self.texts.send(outgoing)
            if isinstance(outgoing, OutgoingEmail) and self.emails is not None:
                return await self.emails.send(outgoing)
        except Exception as error:  # noqa: BLE001 - a fault in one send must not lose the others'
            log.error("carrier_fault", attempt=outgoing.attempt, fault=type(error).__name__)
            return Outcome(Result.UNKNOWN, "The carrier failed; it may have been sent.")
        return Outcome(Result.STOPPED, "This channel has no carrier; configure it.")
