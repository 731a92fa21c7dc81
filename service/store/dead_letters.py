"""The index of dead letters, and the one step that has one of them tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schedules.delivery import RETRIABLE
from service.clock import BusinessClock
from service.store.keys import PartitionKeys, is_patient_id, partition_of
from service.store.scripts import Scripts

Retry = Literal["ok", "gone", "pending", "ended", "forbidden"]
FOREVER_MS = 2**53
_LONGEST: Final = 24
"""Letters of a number, or of two, in an address: none of ours has more."""


@dataclass(frozen=True, slots=True, order=True)
class DeliveryId:
    """Which delivery: a step of a subscription of a patient; written ``patient.n.step``."""

    patient: str
    subscription: int
    index: int

    def __str__(self) -> str:
        """As people give it."""
        return f"{self.patient}.{self.subscription}.{self.index}"

    @property
    def field(self) -> str:
        """Field of the patient's history."""
        return f"{self.subscription}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> DeliveryId | None:
        """Read ``patient.n.step``; None where it is not of that form."""
        patient, _, rest = text.strip().partition(".")
        number, _, index = rest.partition(".")
        plain = number.isdecimal() and index.isdecimal() and len(rest) <= _LONGEST
        if not is_patient_id(patient) or not plain:
            return None
        return cls(patient, int(number), int(index))


@dataclass(frozen=True, slots=True, order=True)
class LetterPlace:
    """Where a dead letter stands among all: by when it was recorded. Fit for URLs and logs.

    Attributes:
        at_ms: business ms UTC.
        delivery: as people give it.
    """

    at_ms: int
    delivery: str

    def __str__(self) -> str:
        """As it stands in the address of a page."""
        return f"{self.at_ms}-{self.delivery}"

    @classmethod
    def parse(cls, text: str) -> LetterPlace | None:
        """Read that; None where it is not of that form."""
        at, _, delivery = text.partition("-")
        if not (at.isascii() and at.isdecimal() and len(at) <= _LONGEST):
            return None
        if DeliveryId.parse(delivery) is None:
            return None
        return cls(int(at), delivery)


class DeadLetterStore:
    """Deliveries that were parked, failed, or are unknown; the oldest leave after 90 days."""

    def __init__(self, scripts: Scripts, partitions: int, clock: BusinessClock) -> None:
        self._scripts = scripts
        self._partitions = partitions
        self._clock = clock

    def some(self, limit: int, patients: Iterable[str] = ()) -> list[DeliveryId]:
        """Up to ``limit`` of each partition, oldest first, or those of some patients.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        wanted = set(patients)
        partitions = {partition_of(patient) for patient in wanted} or range(self._partitions)
        indexes = [PartitionKeys(number).dead_letters for number in partitions]
        most = FOREVER_MS if wanted else limit
        members = self._scripts.read_before(indexes, FOREVER_MS, most)
        found = [one for one in map(DeliveryId.parse, members) if one is not None]
        return [one for one in found if not wanted or one.patient in wanted]

    def newest(self, limit: int, before: LetterPlace | None) -> list[LetterPlace]:
        """The newest of all partitions, in their order.

        Args:
            limit: how many.
            before: only what stands before this one; None for the very newest.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        indexes = [PartitionKeys(number).dead_letters for number in range(self._partitions)]
        top = FOREVER_MS if before is None else before.at_ms
        rows = self._scripts.read_newest(indexes, top, limit, ties=before is not None)
        found = (LetterPlace(at_ms, member) for member, at_ms in rows)
        wanted = {each for each in found if before is None or each < before}
        return sorted(wanted, reverse=True)[:limit]

    def count(self) -> int:
        """How many there are.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        indexes = [PartitionKeys(number).dead_letters for number in range(self._partitions)]
        return self._scripts.read_sizes(indexes)

    def retry(self, delivery: DeliveryId, source: str) -> Retry:
        """Have one tried again, durably; asked twice, it is done once.

        Args:
            delivery: which.
            source: who asks for it, for the audit.

        Returns:
            ``ok``; ``pending``: it is to be tried again already; ``forbidden``: its state does not
            allow it (it may have arrived); ``ended``: nothing reaches the patient any more;
            ``gone``: there is no such delivery.
        """
        keys = PartitionKeys(partition_of(delivery.patient))
        names = (
            *(keys.patient(delivery.patient), keys.history(delivery.patient)),
            *(keys.due, keys.dead_letters, keys.audit, keys.counts),
        )
        letters = "".join(sorted(state.code for state in RETRIABLE))
        subscription = f"{delivery.patient}.{delivery.subscription}"
        now_ms = self._clock.now_ms()
        args = (delivery.subscription, subscription, delivery.field, letters, source, now_ms)
        answer = self._scripts.run_durably("retry", [(names, args)])[0].decode()
        answers: dict[str, Retry] = {
            "ok": "ok",
            "gone": "gone",
            "pending": "pending",
            "ended": "ended",
        }
        return answers.get(answer, "forbidden")
