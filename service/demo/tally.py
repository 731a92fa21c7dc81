"""What went out in a demonstration, counted from the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schedules.delivery import State
from service.bootstrap import Core
from service.store.history import HistoryEntry
from service.store.keys import PartitionKeys
from service.store.tasks import TaskKind

WORD = {
    State.SENT: "sent",
    State.DELIVERED: "sent",
    State.SKIPPED: "skipped",
    State.FAILED: "failed",
    State.UNDELIVERED: "failed",
    State.PARKED: "failed",
    State.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One concluded delivery of a sample patient."""

    patient: str
    entry: HistoryEntry


@dataclass(frozen=True, slots=True)
class Tally:
    """The demonstration's figures, in the shape that ``--json`` prints."""

    patients: int
    days: int
    deliveries: Mapping[str, int]
    by_channel: Mapping[str, int]
    opt_outs: int
    escalations: int


def concluded(core: Core, patients: Sequence[str], end_ms: int) -> list[Sent]:
    """All deliveries that ended before ``end_ms`` (business), in the order in which they ended."""
    found = [
        Sent(patient, entry)
        for patient in patients
        for entry in core.patients.history(patient)
        if entry.at_ms < end_ms
    ]
    return sorted(found, key=lambda sent: (sent.entry.at_ms, sent.patient, sent.entry.field))


def tally(core: Core, patients: Sequence[str], days: int, end_ms: int) -> Tally:
    """Count what happened until ``end_ms`` (business ms UTC)."""
    sent = concluded(core, patients, end_ms)
    words = Counter(WORD[State.from_code(item.entry.state)] for item in sent)
    channels = Counter(
        item.entry.channel for item in sent if WORD[State.from_code(item.entry.state)] == "sent"
    )
    return Tally(
        patients=len(patients),
        days=days,
        deliveries={word: words[word] for word in ("sent", "skipped", "failed", "unknown")},
        by_channel={channel: channels[channel] for channel in ("sms", "email")},
        opt_outs=_opt_outs(core),
        escalations=sum(task.kind is TaskKind.URGENT for task in core.tasks.waiting()),
    )


def _opt_outs(core: Core) -> int:
    """Addresses that nobody writes to any more."""
    count = 0
    for partition in range(core.partitions):
        pattern = PartitionKeys(partition).address("*")
        for key in core.client.scan_iter(match=pattern, count=1000):
            count += core.client.hget(key, "x") == b"1"
    return count
