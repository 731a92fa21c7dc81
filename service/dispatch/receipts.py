"""Apply a provider's receipt to the delivery it speaks of; in any order, any number of times."""

from __future__ import annotations

from typing import Final

from schedules.delivery import State
from service.carriers.base import AddressEffect, Receipt, ReceiptStatus, Result
from service.dispatch.parts import Stores
from service.store.dispatching import AttemptRecord

STATES: Final = {
    ReceiptStatus.QUEUED: (State.SENT, 1),
    ReceiptStatus.SENT: (State.SENT, 2),
    ReceiptStatus.DELIVERED: (State.DELIVERED, 4),
    ReceiptStatus.FAILED: (State.UNDELIVERED, 4),
}
"""What each status records, and its rank: only a higher rank replaces a lower one."""
MAY_HAVE_ARRIVED: Final = (State.UNKNOWN, 3)
"""A failure that proves nothing (Twilio 30008): shown as unknown, never sent again, and open to
better evidence."""


def apply_receipt(stores: Stores, receipt: Receipt) -> bool:
    """Record a receipt; False where its attempt is not known (expired, or another message's).

    Raises:
        StoreUnavailable: not recorded; the provider is to try again.
    """
    attempt = stores.dispatch.attempt(receipt.attempt) if receipt.attempt else None
    if attempt is None or receipt.attempt is None:
        return False
    outcome = receipt.outcome
    unproven = outcome is not None and outcome.result is Result.UNKNOWN
    state, rank = MAY_HAVE_ARRIVED if unproven else STATES[receipt.status]
    known = stores.dispatch.receive(
        receipt.attempt, state.code, rank, receipt.provider_id, receipt.code
    )
    if not known:
        return False
    if outcome is not None and outcome.effect is not None:
        _suppress(stores, attempt, outcome.effect, receipt.code or "")
    return True


def _suppress(stores: Stores, attempt: AttemptRecord, effect: AddressEffect, code: str) -> None:
    fields = stores.patients.find(attempt.patient)
    if fields is None:
        return  # erased meanwhile
    address = stores.patients.contact(fields).address(attempt.channel)
    if address:
        stores.suppressions.suppress(
            attempt.channel,
            stores.suppressions.digest(attempt.channel, address),
            reason="provider_opt_out" if effect is AddressEffect.OPTED_OUT else "invalid",
            source=f"carrier:{code}",
        )
