"""The provider is busy, accepts and does not say so; a STOP races a send; a patient moves."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from schedules.delivery import State
from service.clock import from_ms
from service.enrolment.form import EnrolmentForm
from service.inbox.receive import InboundText
from service.store.installation import StoredClock
from service.store.records import Status
from tests.fakes.mail_server import running_mail_server
from tests.fakes.provider import SENDER, running_provider
from tests.integration.dispatch.installation import Worker
from tests.integration.faults.nights import NOON, histories
from tests.integration.faults.patience import TEST_S, eventually
from tests.support.servers import valkey_server
from tests.support.system import System, running_system
from tests.support.wire import Part, script

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.scene import Scene

pytestmark = pytest.mark.timeout(TEST_S)
AFTER_ACCEPTING = ("hang_after", "error_after", "close_after", "cut_after", "garbage_after")
BUSY_S = 5


def test_a_busy_provider_is_left_alone_by_every_worker_process_for_as_long_as_it_asked(
    tmp_path: Path,
) -> None:
    with running_system(
        tmp_path, clock=f"fast:1@{NOON}", processes=(), PARTITIONS="4", IN_FLIGHT="1", LEASE_S="20"
    ) as system:
        receipts = [system.enrol(number, email="", email_consent="") for number in range(12)]
        system.provider.script({"fault": "busy", "retry_after": BUSY_S})
        for command in ("worker", "worker", "beat"):
            system.start(command)
        eventually(lambda: _scripts(system) == 0, "the first request is answered with 429")
        busy_at = time.monotonic()
        first = len(system.provider.accepted())
        assert first <= 3, "no more than the other processes had under way"
        eventually(lambda: len(system.provider.accepted()) > max(first, 3), "they go on")
        assert time.monotonic() - busy_at > BUSY_S - 1
        eventually(
            lambda: histories(system, receipts) == [[(0, State.SENT.code)]] * 12, "all are sent"
        )
        assert set(Counter(text["to"] for text in system.provider.accepted()).values()) == {1}


def _scripts(system: System) -> int:
    count: int = system.provider._client.get("/control/state").json()["scripts"]
    return count


def test_what_the_provider_accepted_and_did_not_answer_for_is_found_by_real_workers(
    tmp_path: Path,
) -> None:
    with running_system(tmp_path, clock=f"fast:1@{NOON}", PARTITIONS="2", SETTLE_S="60") as system:
        system.provider.script(
            *({"fault": fault, "seconds": 20, "times": 2} for fault in AFTER_ACCEPTING)
        )
        receipts = [system.enrol(number, email="", email_consent="") for number in range(12)]
        eventually(
            lambda: histories(system, receipts) == [[(0, State.SENT.code)]] * 12, "all are settled"
        )
        arrived = Counter(text["to"] for text in system.provider.accepted())
        assert (len(arrived), set(arrived.values())) == (12, {1})
        entries = [system.core.patients.history(receipt.patient)[0] for receipt in receipts]
        assert sum(entry.reason == "found" for entry in entries) == 10


@pytest.mark.parametrize(("part", "arrives"), [("request", 0), ("answer", 1)])
def test_a_stop_that_comes_while_a_send_is_begun_wins_unless_it_had_begun(
    scene: Scene, part: Part, arrives: int
) -> None:
    """The worker stands still at its begin; the STOP is acknowledged; then the worker goes on."""
    moment = scene.wire.hold(script("begin"), part)
    patient = scene.by_text()
    scene.worker(wired=True)
    moment.await_reached()
    system = scene.system
    text = InboundText(f"SM{patient.phone[1:]:0>32}", patient.phone, SENDER, "STOP")
    system.core.inbox.receive(text)
    moment.release()
    eventually(lambda: patient.flight is None, "the flight is over")
    assert patient.arrived == arrives
    assert patient.states == [State.SENT] * arrives
    assert patient.status is Status.OPTED_OUT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("America/New_York", "America/Los_Angeles"),
        ("America/Los_Angeles", "America/New_York"),
    ],
)
def test_who_moves_to_another_zone_gets_each_step_once_at_the_new_zones_time(
    tmp_path: Path, before: str, after: str
) -> None:
    """A patient's zone changes when they are enrolled in a further series from another one."""
    with (
        valkey_server(tmp_path / "store") as server,
        running_provider(tmp_path) as provider,
        running_mail_server(tmp_path) as mail,
    ):
        worker = Worker.start(server, provider, mail, tmp_path / "data")
        try:
            patient = worker.enrol_by_text(timezone=before)
            worker.drain()
            assert patient.states == [State.SENT]
            form = {
                "clinic": "",
                "given_name": "Ana",
                "series": "sleep-hygiene",
                "phone": patient.phone,
                "timezone": after,
                "sms_consent": "verbal",
                "wording": "2026-01",
                "start": "2026-05-01",
            }
            moved = worker.core.enrolment.enrol(EnrolmentForm(**form), source="test")
            assert not moved.new_patient
            clock = worker.core.business
            assert isinstance(clock, StoredClock)
            for _ in range(8 * 24 * 4):
                worker.drain()
                clock.set_ms(clock.now_ms() + int(timedelta(minutes=15).total_seconds() * 1000))
            entries = [entry for entry in patient.history if entry.subscription == 1]
            assert [entry.index for entry in entries] == list(range(len(entries)))
            assert len(entries) > 3
            for entry in entries[1:]:
                due = from_ms(entry.due_ms).astimezone(ZoneInfo(after))
                assert from_ms(entry.at_ms) >= due, "never before its time there"
                assert 8 <= from_ms(entry.at_ms).astimezone(ZoneInfo(after)).hour < 21
            texts = Counter(text["body"] for text in provider.accepted())
            assert set(texts.values()) == {1}
        finally:
            worker.close()
