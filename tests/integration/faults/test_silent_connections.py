"""Connections that nobody closed and nothing comes through any more: found out, and replaced.

So it is after a firewall has lost its state, or a machine its power. Celery workers have gone on
waiting on such connections for ever.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from service.dispatch.pulse import LATE_MS
from service.doctor.diagnose import diagnose
from service.store.keys import LAST_TICK
from tests.integration.faults.nights import NOON, histories
from tests.integration.faults.patience import TEST_S, eventually
from tests.integration.faults.scene import freeze
from tests.support.system import System, running_system
from tests.support.web import served
from tests.support.wire import Wire, wire_to

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(TEST_S)
WITHIN_S = 60
SENT = [(0, State.SENT.code)]


def start(system: System, store: Wire, broker: Wire) -> None:
    """Worker and beat with every connection through the wires."""
    settings = {"REDIS_URL": store.url, "BROKER_URL": broker.url.removesuffix("0") + "1"}
    for command in ("worker", "beat"):
        system.start(command, settings=settings)


@pytest.mark.parametrize("silent", ["store", "broker"])
def test_worker_and_beat_go_on_within_a_minute_though_nobody_closed_their_connections(
    tmp_path: Path, silent: str
) -> None:
    with (
        running_system(tmp_path, clock=f"fast:1@{NOON}", processes=(), PARTITIONS="2") as system,
        wire_to(system.store) as store,
        wire_to(system.store) as broker,
    ):
        start(system, store, broker)
        first = [system.enrol(number) for number in range(4)]
        eventually(lambda: histories(system, first) == [SENT] * 4, "they are at work")
        assert (store if silent == "store" else broker).go_silent() > 1
        since = time.monotonic()
        later = [system.enrol(number) for number in range(4, 8)]
        eventually(lambda: histories(system, later) == [SENT] * 4, "they go on")
        assert time.monotonic() - since < WITHIN_S
        assert {process.poll() for process in system.processes} == {None}


def test_the_age_of_the_last_tick_is_told_where_the_beat_has_gone_silent(tmp_path: Path) -> None:
    with running_system(tmp_path, processes=("beat",)) as system, served(system.core) as (web, _):
        eventually(lambda: web.get("/readyz").json()["beat"] == "ok", "it ticks")
        freeze(system.processes[0])
        age = web.get("/readyz").json()["last_tick_age_s"]
        eventually(lambda: web.get("/readyz").json()["last_tick_age_s"] > age + 1, "the age grows")
        client, now_ms = system.core.client, system.core.machine.now_ms()
        client.set(LAST_TICK, now_ms - LATE_MS - 1_000)  # as in a minute
        readiness = web.get("/readyz")
        assert (readiness.status_code, readiness.json()["status"]) == (200, "degraded")
        findings = {finding.name: finding for finding in diagnose(system.settings)}
        assert findings["beat"].status == "warning"
        assert "No beat has ticked for 1 minutes" in findings["beat"].detail
