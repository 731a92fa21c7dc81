"""What is counted for insight, and what a recount of patients' records finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from service.store.counts import ClinicNumbers
from service.store.keys import PartitionKeys
from service.store.records import Status
from service.store.scripts import as_text
from tests.contract.store.installation import Installed

HOUR_MS = 3_600_000


def counted(store: Installed, kinds: str = "deciu") -> Counter[str]:
    """What the partitions have counted and is not added up yet, by the first letter of its kind."""
    total: Counter[str] = Counter()
    for partition in range(store.partitions):
        for field, by in store.client.hgetall(PartitionKeys(partition).counts).items():
            total[as_text(field)] += int(by)
    return Counter({field: by for field, by in total.items() if by and field[0] in kinds})


def recount(store: Installed, patients: Iterable[str]) -> Counter[str]:
    """The deliveries and the subscriptions of patients, one by one, as the scripts count them."""
    clinic, total = ClinicNumbers(store.client).of("riverside"), Counter[str]()
    for patient in patients:
        of = {}
        for found in store.fields(patient).subscriptions():
            of[found.number] = f"{found.series}|{found.version}"
            enrolled = found.enrolled_ms // HOUR_MS
            start = found.start.isoformat()
            moved = store.fields(patient).text(f"m{found.number}")
            status = Status.MOVED if moved else found.status
            total[f"u|{enrolled}|{clinic}|{of[found.number]}|{start}|{status}"] += 1
        for entry in store.patients.history(patient):
            where = f"{entry.at_ms // HOUR_MS}|{clinic}|{of[entry.subscription]}|{entry.index}"
            total[f"d|{where}|{entry.channel[:1]}|{entry.state}"] += 1
    return total
