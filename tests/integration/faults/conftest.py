"""One installation for the tests of a module: its store, its far ends and its beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.scene import Scene
from tests.support.system import running_system
from tests.support.wire import load_scripts, wire_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.system import System

NOON = "2026-03-02T20:00:00"
"""Monday noon in Los Angeles: the window is open, and steps at enrolment are due."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A beat and no worker; business time runs no faster than the machine's."""
    directory = tmp_path_factory.mktemp("system")
    with running_system(
        directory,
        clock=f"fast:1@{NOON}",
        processes=("beat",),
        PARTITIONS="1",
        LEASE_S="2",
        SETTLE_S="2",
        WORKER_PROCESSES="1",
    ) as running:
        yield running


@pytest.fixture
def scene(system: System) -> Iterator[Scene]:
    """That installation with a wire of the test's own, and no worker yet."""
    load_scripts(system.store)
    with wire_to(system.store) as wire:
        one = Scene(system, wire)
        try:
            yield one
        finally:
            one.close()
