"""What a carrier's answers and receipts mean for the address itself, and for those who use it."""

from __future__ import annotations

from service.carriers.base import AddressEffect, Outcome
from service.dispatch.parts import Stores
from service.store.records import Channel, Patient, Status
from service.store.suppressions import Ledger
from service.store.tasks import TaskKind


def follow_carrier(stores: Stores, patient: Patient, channel: Channel, outcome: Outcome) -> None:
    """Suppress a patient's address that its carrier calls opted out or invalid; may be repeated.

    Whom no channel reaches any more is put before staff, who may have a better address.

    Raises:
        StoreUnavailable: not recorded.
    """
    address = patient.address(channel)
    if not address:
        return
    ledger = suppress_as_told(stores, channel, address, outcome)
    if ledger is None or outcome.effect is not AddressEffect.INVALID:
        return
    lost = [user for user in ledger.patients if _is_lost(stores, user)]
    if lost:
        digest = stores.suppressions.digest(channel, address)
        stores.tasks.open(
            TaskKind.UNREACHABLE,
            digest,
            clinic=patient.clinic,
            patients=lost,
            once=f"{digest}:{ledger.sequence}",
            content={"channel": channel, "code": outcome.code or "", "body": outcome.reason},
            source=_source(outcome),
        )


def suppress_as_told(
    stores: Stores, channel: Channel, address: str, outcome: Outcome
) -> Ledger | None:
    """Suppress an address that its carrier calls opted out or invalid; None where it did not.

    Raises:
        StoreUnavailable: not recorded.
    """
    if outcome.effect is None:
        return None
    opted_out = outcome.effect is AddressEffect.OPTED_OUT
    return stores.suppressions.suppress(
        channel,
        stores.suppressions.digest(channel, address),
        reason="provider_opt_out" if opted_out else "invalid",
        source=_source(outcome),
    )


def _is_lost(stores: Stores, patient: str) -> bool:
    fields = stores.patients.find(patient)
    subscriptions = fields.subscriptions() if fields else ()
    return any(each.status is Status.UNREACHABLE for each in subscriptions)


def _source(outcome: Outcome) -> str:
    return f"carrier:{outcome.code or ''}"
