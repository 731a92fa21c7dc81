"""Workers told to end, two beats, a broker that loses or repeats: each step goes once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from schedules.delivery import State
from service.store import keys
from service.worker.queues import DRAIN
from tests.integration.faults import poisoned_worker
from tests.integration.faults.nights import NOON, arrived, held, histories, nightly
from tests.integration.faults.patience import PATIENCE_S, TEST_S, eventually
from tests.support.system import kill, running_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(TEST_S)


@pytest.mark.parametrize("tell", [os.kill, os.killpg], ids=["its parent", "all its processes"])
def test_a_worker_told_to_end_under_load_finishes_or_gives_back_what_it_holds(
    tmp_path: Path, tell: Callable[[int, int], None]
) -> None:
    with running_system(
        tmp_path, clock=f"fast:1@{NOON}", processes=("beat",), PARTITIONS="1"
    ) as system:
        system.provider.script({"fault": "late_after", "seconds": 0.25, "times": 10**6})
        receipts = [system.enrol(each, email="", email_consent="") for each in range(100)]
        worker = system.start("worker", settings={"WORKER_PROCESSES": "2", "IN_FLIGHT": "2"})
        eventually(lambda: len(system.provider.accepted()) > 4, "it is at work")
        tell(worker.pid, signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
        there = len(system.provider.accepted())
        recorded = sum(len(each) for each in histories(system, receipts))
        assert recorded == there < len(receipts), "what it sent is recorded, and it left some"
        assert held(system) == 0, "what it did not send is due again at once"
        system.start("worker")
        eventually(
            lambda: histories(system, receipts) == [[(0, State.SENT.code)]] * len(receipts),
            "another worker sends the rest",
        )
        assert set(arrived(system).values()) == {1}


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Do something again and again until the block ends."""
    ended = threading.Event()
    faults: list[Exception] = []

    def repeat() -> None:
        try:
            while not ended.wait(0.4):
                action()
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            faults.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        assert faults == []


def test_two_beats_and_two_workers_send_each_step_once_though_the_leading_beat_dies(
    tmp_path: Path,
) -> None:
    with nightly(tmp_path, "worker", "worker") as (system, _):
        beats = {each.pid: each for each in (system.start("beat"), system.start("beat"))}
        eventually(lambda: len(arrived(system)) > 30, "they are at work")
        leader = cast("bytes", system.core.client.get(keys.LEADER)).decode()
        kill(beats[int(leader.rpartition(":")[2])])


def test_a_broker_flushed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    with (
        nightly(tmp_path, "worker", "beat") as (system, receipts),
        system.broker() as broker,
        meanwhile(broker.flushdb),
    ):
        system.await_end(*receipts[:1], limit_s=PATIENCE_S)


def test_a_task_that_is_delivered_again_while_the_first_still_runs_sends_nothing_again(
    tmp_path: Path,
) -> None:
    with (
        running_system(
            tmp_path, clock=f"fast:1@{NOON}", processes=("beat",), PARTITIONS="1"
        ) as system,
        system.broker() as broker,
    ):
        system.provider.script({"fault": "late_after", "seconds": 1.5, "times": 10**6})
        receipts = [system.enrol(each, email="", email_consent="") for each in range(6)]
        eventually(lambda: broker.llen(DRAIN), "a task is queued")
        (task,) = cast("list[bytes]", broker.lrange(DRAIN, 0, 0))
        system.start("worker")
        eventually(lambda: arrived(system), "its sends are under way")
        for _ in range(10):
            broker.lpush(DRAIN, task)  # as after the visibility time-out, but at once
        system.start("worker")
        eventually(lambda: all(histories(system, receipts)), "all are sent")
        eventually(lambda: not broker.llen(DRAIN), "each copy was taken")
        assert histories(system, receipts) == [[(0, State.SENT.code)]] * len(receipts)
        assert set(arrived(system).values()) == {1}


def test_a_message_that_kills_every_process_is_parked_and_the_others_flow(tmp_path: Path) -> None:
    with running_system(
        tmp_path, clock=f"fast:1@{NOON}", processes=("beat",), PARTITIONS="1", LEASE_S="1"
    ) as system:
        others = [system.enrol(number) for number in range(5)]
        poison = system.enrol(99, given_name=poisoned_worker.POISON)
        program = (sys.executable, "-m", poisoned_worker.__name__)
        system.start("worker", program=program)
        eventually(lambda: all(histories(system, [*others, poison])), "all are dealt with")
        (entry,) = system.core.patients.history(poison.patient)
        assert (entry.state, entry.reason) == (State.PARKED.code, "poison")
        assert '"parked"' in system.log("worker")
        assert histories(system, others) == [[(0, State.SENT.code)]] * len(others)
        assert len(arrived(system)) == len(others)
