"""Look for an attempt in the provider's own list: the one message that can only be this attempt's.

The list knows nothing of our attempts. A message is this attempt's where it went to the same
number, not before the attempt was begun (less the clocks' difference), with the same text, and
belongs to no other attempt. A family shares a phone, and may share a text. Where as many messages
as open attempts are there, each attempt has made one of them, as none makes two; which one, only a
receipt can tell. Where there are fewer, nothing is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.carriers.base import Found, Receipt, ReceiptStatus, TextCarrier
from service.dispatch.parts import Stores
from service.store.dispatching import AttemptRecord
from service.store.keys import partition_of
from service.store.records import FlightState, Patient

SKEW_MS = 300_000
"""How far the provider's clock may lag ours."""
_OPEN = frozenset({FlightState.BEGUN, FlightState.IN_QUESTION})


class Evidence:
    """Finds attempts in the provider's list of a number.

    Args:
        digest: the keyed hash by which an attempt knows its text.
    """

    def __init__(
        self, stores: Stores, texts: TextCarrier | None, digest: Callable[[str], str]
    ) -> None:
        self._stores = stores
        self._texts = texts
        self._digest = digest

    async def found(self, name: str, attempt: AttemptRecord, patient: Patient) -> Receipt | None:
        """What the list proves of an attempt, told as a receipt; None where it proves nothing.

        Args:
            name: the attempt's id.
            attempt: its record.
            patient: to whom it went.

        Raises:
            ProviderUnreachable: the list could not be read.
            StoreUnavailable: nor could the store.
        """
        if attempt.channel != "sms" or self._texts is None or not patient.phone:
            return None
        listed = await self._texts.find(patient.phone, attempt.begun_ms - SKEW_MS)
        matches = [item for item in listed if self._digest(item.body) == attempt.body]
        twins: list[str] = []
        if attempt.provider_id:
            matches = [item for item in matches if item.provider_id == attempt.provider_id]
        elif matches:
            matches, twins = self._not_anothers(name, attempt, patient.phone, matches)
        if len(matches) != 1 + len(twins):
            return None
        if twins:
            return _one_of(name, twins, matches)
        (item,) = matches
        known = bool(attempt.provider_id)
        return Receipt(
            name, item.provider_id, item.reached, item.status, item.outcome, certain=known
        )

    def _not_anothers(
        self, name: str, attempt: AttemptRecord, phone: str, matches: list[Found]
    ) -> tuple[list[Found], list[str]]:
        """Those that belong to no other attempt, and the open attempts that may have made them."""
        ledger = self._stores.suppressions
        patients = {attempt.patient, *ledger.patients(ledger.digest("sms", phone))}
        twins: list[str] = []
        taken = {entry.provider_id for p in patients for entry in self._stores.patients.history(p)}
        for other, record in self._others(patients, name):
            if record.provider_id:
                taken.add(record.provider_id)
            elif record.body == attempt.body and abs(record.begun_ms - attempt.begun_ms) <= SKEW_MS:
                twins.append(other)
        return [item for item in matches if item.provider_id not in taken], twins

    def _others(self, patients: set[str], name: str) -> Iterator[tuple[str, AttemptRecord]]:
        """Attempts to the same phone whose outcome is open as well, by their ids."""
        names: set[str] = set()
        for patient in patients:
            fields = self._stores.patients.find(patient)
            for subscription in fields.subscriptions() if fields else ():
                flight = subscription.flight
                if flight is not None and flight.state in _OPEN:
                    names.add(flight.attempt)
        for partition in {partition_of(patient) for patient in patients}:
            names.update(self._stores.dispatch.unsettled(partition))
        for other in names - {name}:
            record = self._stores.dispatch.attempt(other)
            if record is not None and record.patient in patients:
                yield other, record


def _one_of(name: str, twins: list[str], matches: list[Found]) -> Receipt:
    """What is proven of one of several attempts that have made as many messages.

    Each gets one of them for its own, the first the first, until a receipt says which it is. How
    far they have come is told where it is the same of all; otherwise, that they were accepted.
    """
    place = sorted([name, *twins]).index(name)
    item = sorted(matches, key=lambda each: (each.created_ms, each.provider_id))[place]
    if len({(each.reached, each.outcome) for each in matches}) > 1:
        return Receipt(name, item.provider_id, ReceiptStatus.QUEUED, item.status, certain=False)
    return Receipt(name, item.provider_id, item.reached, item.status, item.outcome, certain=False)
