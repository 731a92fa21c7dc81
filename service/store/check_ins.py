"""Patients' ratings, as they answered a check-in: encrypted, each by the reply that holds it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from schedules.check_ins import Trend
from service.errors import NotFound
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
        subscription: number of the one whose message asked; 0: it is not counted for insight.
    """

    reply: str
    topic: str
    rating: int
    at_ms: int
    subscription: int = 0

    @property
    def counted(self) -> str:
        """What it is counted as, for the scripts."""
        return f"{self.subscription}|{self.topic}|{self.rating}|{self.at_ms}"


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
        sealed = self._sealed(patient, check_in)
        args = (check_in.reply, sealed, trend, check_in.at_ms, check_in.counted)
        names = (keys.patient(patient), key, keys.counts)
        self._scripts.run_durably("record_check_in", [(names, args)])

    def replace(
        self,
        patient: str,
        reply: str,
        check_in: CheckIn | None,
        *,
        read: Sequence[CheckIn],
        was: str,
        going: Trend | None,
    ) -> bool:
        """Put another rating in a reply's place, durably; False: read them again.

        Args:
            patient: their id.
            reply: id of the reply that holds it.
            check_in: what it holds; None: no rating at all.
            read: all ratings as they were read.
            was: what they said together, as it was read (``PatientFields.text("v")``).
            going: what they say then; None where none is left.

        Raises:
            NotFound: there is no such patient any more.
            StoreUnavailable: it may not be on record; ask again, it is idempotent.
        """
        keys = PartitionKeys(partition_of(patient))
        left = [each for each in read if each.reply != reply]
        newest = max((each.at_ms for each in (*left, *filter(None, [check_in]))), default=0)
        became = f"{going}|{newest}" if going else ""
        sealed = self._sealed(patient, check_in) if check_in else b""
        names = (keys.patient(patient), keys.check_ins(patient), keys.counts)
        before = next((each.counted for each in read if each.reply == reply), "")
        counted = (before, check_in.counted if check_in else "")
        args = (reply, sealed, len(read), was, became, *counted)
        answer = self._scripts.run_durably("replace_check_in", [(names, args)])[0]
        if answer == b"gone":
            raise NotFound("There is no such patient any more.")
        return bool(answer == b"ok")

    def _sealed(self, patient: str, check_in: CheckIn) -> bytes:
        row = [check_in.topic, check_in.rating, check_in.at_ms, check_in.subscription]
        return self._keyring.encrypt(json.dumps(row).encode(), patient.encode())

    def of(self, patient: str) -> list[CheckIn]:
        """All ratings of a patient, oldest first.

        Raises:
            KeyMissing: one is under a key that is not in the ring.
        """
        key = PartitionKeys(partition_of(patient)).check_ins(patient)
        found = []
        for reply, sealed in self._scripts.read_hash(key).items():
            row = json.loads(self._keyring.decrypt(sealed, patient.encode()))
            found.append(CheckIn(reply, *row))
        return sorted(found, key=lambda each: (each.at_ms, each.reply))
