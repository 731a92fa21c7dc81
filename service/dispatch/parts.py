"""The parts that dispatch is built from: stores, carriers, limits."""

from __future__ import annotations

from dataclasses import dataclass

from service.carriers.base import EmailCarrier, TextCarrier
from service.store.dispatching import DispatchStore
from service.store.patients import Patients
from service.store.rates import Rates
from service.store.suppressions import Suppressions
from service.store.tasks import Tasks


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
