"""Look for an attempt in the provider's own list: the one message that can only be this attempt's.

The list knows nothing of our attempts. A message is this attempt's where it went to the same
number, not before the attempt was begun (less the clocks' difference), with the same text, and
belongs to no other attempt. Where several messages may be it, or several attempts may have made
the one there is, nothing is proven: a family shares a phone, and may share a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.carriers.base import Found, Receipt, TextCarrier
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
        if attempt.provider_id:
            matches = [item for item in matches if item.provider_id == attempt.provider_id]
        elif matches:
            matches = self._ours_alone(name, attempt, patient.phone, matches)
        if len(matches) != 1:
            return None
        (item,) = matches
        return Receipt(name, item.provider_id, item.reached, item.status, item.outcome)

    def _ours_alone(
        self, name: str, attempt: AttemptRecord, phone: str, matches: list[Found]
    ) -> list[Found]:
        """Those that belong to no other attempt; none where another one may have made them too."""
        ledger = self._stores.suppressions
        patients = {attempt.patient, *ledger.patients(ledger.digest("sms", phone))}
        taken = {entry.provider_id for p in patients for entry in self._stores.patients.history(p)}
        for other in self._others(patients, name):
            if other.provider_id:
                taken.add(other.provider_id)
            elif other.body == attempt.body and abs(other.begun_ms - attempt.begun_ms) <= SKEW_MS:
                return []
        return [item for item in matches if item.provider_id not in taken]

    def _others(self, patients: set[str], name: str) -> Iterator[AttemptRecord]:
        """Attempts to the same phone whose outcome is open as well."""
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
                yield record
