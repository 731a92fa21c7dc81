"""Patients' ratings, as they answered a check-in: encrypted, each by the reply that holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from schedules.check_ins import Trend
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys, partition_of
from service.store.scripts import Scripts


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One answer to a check-in.

    Attributes:
        reply: id of the reply that holds it.
        topic: of the message that asked, such as ``symptom-check``.
        rating: 0 to 10.
        at_ms: business ms UTC.
    """

    reply: str
    topic: str
    rating: int
    at_ms: int


class CheckIns:
    """Records ratings and reads them back."""

    def __init__(self, scripts: Scripts, keyring: KeyRing) -> None:
        self._scripts = scripts
        self._keyring = keyring

    def record(self, patient: str, check_in: CheckIn, trend: Trend) -> None:
        """Record a rating durably, once a reply.

        Args:
            patient: their id; nothing is recorded of one who was erased.
            check_in: what they answered.
            trend: what it says beside the ones before; the series' branches go by the newest.

        Raises:
            StoreUnavailable: it may not be on record; ask again, it is idempotent.
        """
        keys = PartitionKeys(partition_of(patient))
        key = keys.check_ins(patient)
        row = json.dumps([check_in.topic, check_in.rating, check_in.at_ms]).encode()
        sealed = self._keyring.encrypt(row, patient.encode())
        args = (check_in.reply, sealed, trend, check_in.at_ms)
        self._scripts.run_durably("record_check_in", [((keys.patient(patient), key), args)])

    def of(self, patient: str) -> list[CheckIn]:
        """All ratings of a patient, oldest first.

        Raises:
            KeyMissing: one is under a key that is not in the ring.
        """
        key = PartitionKeys(partition_of(patient)).check_ins(patient)
        found = []
        for reply, sealed in self._scripts.read_hash(key).items():
            topic, rating, at_ms = json.loads(self._keyring.decrypt(sealed, patient.encode()))
            found.append(CheckIn(reply, topic, rating, at_ms))
        return sorted(found, key=lambda each: (each.at_ms, each.reply))
