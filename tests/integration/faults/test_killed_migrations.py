"""A migration that workers carry out goes on after they were killed, and nobody is moved twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bootstrap import Core
from service.enrolment.enrol import Receipt
from service.store.migrations import Order
from service.store.records import Status
from tests.integration.faults.patience import TEST_S, eventually
from tests.support.system import kill, running_system

pytestmark = pytest.mark.timeout(TEST_S)
PATIENTS = 80


def moved(core: Core, receipts: list[Receipt]) -> bool:
    """Whether one of them is in two versions."""
    return any(2 in core.patients.load(each.patient).numbers() for each in receipts)


def test_workers_go_on_with_a_migration_after_a_kill(tmp_path: Path) -> None:
    """Its first worker has it for itself for five seconds; then another takes its place."""
    with running_system(tmp_path, clock="real", processes=("beat",)) as system:
        receipts = [system.enrol(number, start="2126-03-04") for number in range(PATIENTS)]
        migrations = system.core.series_migrations
        order = Order("restless-legs", 2, 1)
        started = migrations.start(order, by="test")
        first = system.start("worker")
        eventually(lambda: moved(system.core, receipts), "some are moved")
        kill(first)
        system.start("worker")
        eventually(lambda: migrations.find(started.id).state == "done", "all are moved")
        counts = migrations.find(started.id).progress.counts
        assert (counts["patients"], counts["moved"]) == (PATIENTS, PATIENTS)
        for receipt in receipts:
            found = system.core.patients.load(receipt.patient).subscriptions()
            stands = [(each.status, each.version) for each in found]
            assert stands == [(Status.MOVED, 2), (Status.ACTIVE, 1)]
