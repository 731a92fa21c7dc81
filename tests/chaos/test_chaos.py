"""The whole service as processes, with and without faults, judged by what it left on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.deck import EVERY
from tests.chaos.run import Plan, run

pytestmark = pytest.mark.timeout(300)
SEED = 20261122


def test_without_a_fault_every_delivery_is_sent_and_nothing_else_becomes_of_any(
    tmp_path: Path,
) -> None:
    ran = run(Plan(seed=SEED, patients=20, places=1), tmp_path)
    assert ran.figures.violations == []
    assert ran.figures.deliveries == ran.figures.arrived == 20 * 15
    assert set(ran.figures.states) <= {"s", "d"}


def test_with_faults_of_every_kind_nothing_is_lost_doubled_late_or_unwanted(
    tmp_path: Path,
) -> None:
    ran = run(Plan(seed=SEED, patients=40, faults=dict.fromkeys(EVERY, 1), places=2), tmp_path)
    assert ran.figures.violations == [], f"seed {SEED}"
    assert ran.figures.deliveries > 20 * 15
