"""The broker dies, fills its memory, turns replica, stalls: beat and workers go on by themselves.

It is a server of its own here, so that the store is sound all the while.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from service.store.embedded import broker_url
from tests.integration.faults.nights import NOON, arrived, histories
from tests.integration.faults.patience import TEST_S, eventually
from tests.support.servers import Server, valkey_server
from tests.support.system import System, running_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.enrolment.enrol import Receipt

pytestmark = pytest.mark.timeout(TEST_S)

SENT = [(0, State.SENT.code)]
_numbers = itertools.count(1)


class TwoServers:
    """A system whose queue is on a server of its own."""

    def __init__(self, system: System, broker: Server) -> None:
        self.system = system
        self.broker = broker

    def enrol(self, count: int = 6) -> list[Receipt]:
        return [self.system.enrol(next(_numbers)) for _ in range(count)]

    def sent(self, receipts: list[Receipt]) -> bool:
        return histories(self.system, receipts) == [SENT] * len(receipts)

    def await_sent(self, receipts: list[Receipt]) -> None:
        logs = self.system.directory
        eventually(lambda: self.sent(receipts), f"all are sent; logs are in {logs}")
        assert set(arrived(self.system).values()) == {1}

    def go_on_after(self, trouble: Callable[[], object], mended: Callable[[], object]) -> None:
        """Trouble comes while tasks are under way, and lasts until the beat has met it."""
        self.system.provider.script({"fault": "late_after", "seconds": 0.5, "times": 6})
        begun = len(arrived(self.system))
        receipts = self.enrol()
        eventually(lambda: len(arrived(self.system)) > begun, "a task is under way")
        trouble()
        before = self.system.log("beat").count("tick_failed")

        def met() -> bool:
            if self.sent(receipts):  # by the drain that was under way, which needs no broker
                receipts.extend(self.enrol(1))
            return self.system.log("beat").count("tick_failed") > before + 1

        eventually(met, "the beat cannot queue anything")
        mended()
        self.await_sent(receipts)
        self.await_sent(self.enrol())
        assert {process.poll() for process in self.system.processes} == {None}, "nobody gave up"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoServers]:
    directory = tmp_path_factory.mktemp("two")
    with (
        valkey_server(directory / "broker", appendonly="no") as broker,
        running_system(
            directory,
            clock=f"fast:1@{NOON}",
            PARTITIONS="2",
            SETTLE_S="60",
            BROKER_URL=broker_url(broker.url),
        ) as system,
    ):
        yield TwoServers(system, broker)


def test_a_broker_that_is_killed_and_comes_back_empty_is_used_again(two: TwoServers) -> None:
    two.go_on_after(two.broker.kill, two.broker.start)


def test_a_broker_without_memory_is_used_again_once_it_has_some(two: TwoServers) -> None:
    client = two.broker.client()
    two.go_on_after(
        lambda: client.config_set("maxmemory", 1), lambda: client.config_set("maxmemory", 0)
    )


def test_a_broker_that_turns_replica_and_primary_again_is_used_again(two: TwoServers) -> None:
    client = two.broker.client()
    two.go_on_after(lambda: client.replicaof("127.0.0.1", 1), lambda: client.replicaof("no", "one"))


def test_a_broker_that_hangs_and_goes_on_is_used_again(two: TwoServers) -> None:
    two.go_on_after(two.broker.freeze, two.broker.thaw)
