"""The checker finds what is planted, and nothing where nothing is."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.mutants import (
    NO_FENCING,
    NO_SUPPRESSION_CHECK,
    RESEND_ON_AN_EMPTY_LIST,
    Mutant,
    planted,
)
from tests.chaos.run import Plan, run

if TYPE_CHECKING:
    from tests.chaos.installation import Installation

pytestmark = pytest.mark.timeout(300)


def list_lags_and_no_receipts(installation: Installation) -> None:
    """Until the faults are over nobody can tell what the provider has."""
    installation.provider.settings(hidden=1_000_000, receipts=False)


def provider_takes_its_time(installation: Installation) -> None:
    """What was claimed waits for its turn, one after the other."""
    installation.provider.script({"fault": "late_after", "seconds": 0.08, "times": 1_000_000})


SMALL = Plan(seed=1, patients=10, workers=1, moved=False, places=1)
LATE_BEGINS = replace(SMALL, faults={"store_begin_late": 12}, settings={"LEASE_S": "1"})
STOPS_WHILE_SENDING = replace(
    SMALL,
    patients=14,
    faults={"stop_text": 10},
    settings={"IN_FLIGHT": "1", "PARTITIONS": "1", "LEASE_S": "4"},
    prepare=provider_takes_its_time,
    both=1.0,
)
LAGGING_LIST = replace(
    SMALL,
    faults={"provider_create_close_after": 4},
    settings={"SETTLE_S": "30"},
    prepare=list_lags_and_no_receipts,
)
SCENARIOS = {
    "no fencing": (NO_FENCING, LATE_BEGINS),
    "no suppression check in begin": (NO_SUPPRESSION_CHECK, STOPS_WHILE_SENDING),
    "sent again on an empty list": (RESEND_ON_AN_EMPTY_LIST, LAGGING_LIST),
}


@pytest.mark.parametrize(("mutant", "plan"), SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_planted_fault_is_found(tmp_path: Path, mutant: Mutant, plan: Plan) -> None:
    source = planted(mutant, tmp_path / "tree")
    ran = run(replace(plan, source=source), tmp_path / "run")
    assert ran.figures.broken(mutant.rule) > 0


def test_all_of_it_without_a_planted_fault_keeps_every_promise(tmp_path: Path) -> None:
    plans = [plan for _, plan in SCENARIOS.values()]

    def prepare(installation: Installation) -> None:
        for plan in plans:
            if plan.prepare is not None:
                plan.prepare(installation)

    together = replace(
        STOPS_WHILE_SENDING,
        faults=ChainMap(*(dict(plan.faults) for plan in plans)),
        settings=ChainMap(*(dict(plan.settings) for plan in plans)),
        prepare=prepare,
    )
    assert run(together, tmp_path).figures.violations == []
