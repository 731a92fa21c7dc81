"""What a system has done, and systems that send whole series in some seconds."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from schedules.delivery import State
from tests.integration.faults.patience import PATIENCE_S
from tests.support.system import System, phone, running_system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.enrolment.enrol import Receipt

NOON = "2026-03-02T20:00:00"
NIGHTS = 15
"""Steps of the series ``sleep-hygiene``."""


def arrived(system: System) -> Counter[tuple[str, str]]:
    """How often each message has arrived."""
    found = Counter((text["to"], text["body"]) for text in system.provider.accepted())
    found.update((mail["to"][0], mail["content"]) for mail in system.mail.accepted())
    return found


def histories(system: System, receipts: list[Receipt]) -> list[list[tuple[int, str]]]:
    """Step and state of each delivery of each patient."""
    return [
        [(entry.index, entry.state) for entry in system.core.patients.history(receipt.patient)]
        for receipt in receipts
    ]


def held(system: System) -> int:
    """How many flights are not over."""
    pending = system.core.dispatch_store.peek(range(system.core.partitions))
    return sum(each.held for each in pending)


@contextmanager
def nightly(
    directory: Path, *processes: str, factor: int = 2_000_000
) -> Iterator[tuple[System, list[Receipt]]]:
    """Six patients whose series are sent and over in some seconds; checked at the end."""
    with running_system(
        directory, clock=f"fast:{factor}@{NOON}", processes=processes, PARTITIONS="2"
    ) as system:
        receipts = [system.enrol(number, series="sleep-hygiene") for number in range(6)]
        yield system, receipts
        system.await_end(*receipts, limit_s=PATIENCE_S)
        expected = [(index, State.SENT.code) for index in range(NIGHTS)]
        assert histories(system, receipts) == [expected] * len(receipts)
        found = arrived(system)
        assert set(found.values()) == {1}, "sent twice"
        mine = {phone(number) for number in range(6)}
        mine |= {f"patient{number}@example.org" for number in range(6)}
        assert len([to for to, _ in found if to in mine]) == NIGHTS * len(receipts)
