"""What a carrier's answers and receipts mean for the address itself."""

from __future__ import annotations

from service.carriers.base import AddressEffect, Outcome
from service.store.records import Channel, Patient
from service.store.suppressions import Suppressions


def follow_carrier(
    ledger: Suppressions, patient: Patient, channel: Channel, outcome: Outcome
) -> None:
    """Suppress an address that its carrier calls opted out or invalid; may be repeated.

    Raises:
        StoreUnavailable: not recorded.
    """
    address = patient.address(channel)
    if address:
        suppress_as_told(ledger, channel, address, outcome)


def suppress_as_told(
    ledger: Suppressions, channel: Channel, address: str, outcome: Outcome
) -> None:
    """The same for an address by itself.

    Raises:
        StoreUnavailable: not recorded.
    """
    if outcome.effect is None:
        return
    opted_out = outcome.effect is AddressEffect.OPTED_OUT
    ledger.suppress(
        channel,
        ledger.digest(channel, address),
        reason="provider_opt_out" if opted_out else "invalid",
        source=f"carrier:{outcome.code or ''}",
    )
