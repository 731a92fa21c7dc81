"""The store dies, fills its disk or its memory, turns replica, stalls: all waits, and goes on."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from service.errors import StoreUnavailable
from tests.integration.faults.nights import NOON, arrived, held, histories
from tests.integration.faults.patience import PATIENCE_S, TEST_S, eventually
from tests.integration.faults.scene import freeze, thaw
from tests.support.system import System, kill, phone, running_system
from tests.support.web import PUBLIC_URL, Site, served, text_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from service.enrolment.enrol import Receipt

pytestmark = pytest.mark.timeout(TEST_S)

INBOUND = "/webhooks/twilio/inbound"
PATIENTS = 30
_numbers = itertools.count(1)


@contextmanager
def busy_system(directory: Path, **config: str) -> Iterator[Busy]:
    """Worker, beat and web on one store, and a provider that takes its time."""
    with (
        running_system(
            directory,
            clock=f"fast:1@{NOON}",
            config=config,
            PARTITIONS="2",
            IN_FLIGHT="2",
            SETTLE_S="60",
            PUBLIC_URL=PUBLIC_URL,
        ) as system,
        served(system.core) as (client, url),
    ):
        system.provider.script({"fault": "late_after", "seconds": 0.1, "times": 10**6})
        yield Busy(system, Site(system.core, system.store, client, url))


class Busy:
    """A system in the middle of its work."""

    def __init__(self, system: System, site: Site) -> None:
        self.system = system
        self.site = site

    def goes_on_after(self, trouble: Callable[[], object]) -> None:
        """Bring trouble about in the middle of many sends: each goes out once all the same."""
        system = self.system
        before = sum(arrived(system).values())
        worker = system.processes[0]
        freeze(worker)  # or it might be through with them when the trouble comes
        receipts = [self._enrol(by_text=number % 4 > 0) for number in range(PATIENTS)]
        thaw(worker)
        eventually(lambda: sum(arrived(system).values()) > before + 5, "they are under way")
        trouble()
        assert sum(arrived(system).values()) < before + PATIENTS, "the trouble came in the middle"
        eventually(lambda: self._over(receipts), f"all end; logs: {system.directory}")
        assert histories(system, receipts) == [[(0, State.SENT.code)]] * PATIENTS
        assert sum(arrived(system).values()) == before + PATIENTS
        assert set(arrived(system).values()) == {1}
        assert held(system) == 0
        assert {process.poll() for process in system.processes} == {None}, "nobody gave up"

    def _enrol(self, *, by_text: bool) -> Receipt:
        number = next(_numbers)
        if by_text:
            return self.system.enrol(number, email="", email_consent="")
        return self.system.enrol(number, phone="", sms_consent="")

    def _over(self, receipts: list[Receipt]) -> bool:
        try:
            return all(histories(self.system, receipts))
        except StoreUnavailable:
            return False

    def nothing_is_sent_or_acknowledged(self) -> None:
        """Wait for what was under way, and then for a second in which nothing is."""
        quiet_since, seen = time.monotonic(), -1

        def quiet() -> bool:
            nonlocal quiet_since, seen
            if seen != (seen := sum(arrived(self.system).values())):
                quiet_since = time.monotonic()
            return time.monotonic() - quiet_since > 1

        eventually(quiet, "nothing is sent any more")
        assert self.site.post(INBOUND, text_fields(phone(9999), "STOP")).status_code == 503
        readiness = self.site.client.get("/readyz")
        assert (readiness.status_code, readiness.json()["store"]) == (503, "unavailable")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    with busy_system(tmp_path_factory.mktemp("busy")) as system:
        yield system


def test_a_store_that_is_killed_and_comes_back_delays_and_doubles_nothing(busy: Busy) -> None:
    def killed() -> None:
        busy.system.store.kill()
        busy.nothing_is_sent_or_acknowledged()
        busy.system.store.start()

    busy.goes_on_after(killed)


def test_a_store_without_memory_holds_everything_up_and_loses_nothing(busy: Busy) -> None:
    def full() -> None:
        busy.system.core.client.config_set("maxmemory", 1)
        try:
            busy.nothing_is_sent_or_acknowledged()
        finally:
            busy.system.core.client.config_set("maxmemory", 0)

    busy.goes_on_after(full)


def test_a_store_that_turns_replica_and_primary_again_loses_nothing(busy: Busy) -> None:
    def replica() -> None:
        busy.system.core.client.replicaof("127.0.0.1", 1)  # where nobody is
        try:
            busy.nothing_is_sent_or_acknowledged()
        finally:
            busy.system.core.client.replicaof("no", "one")

    busy.goes_on_after(replica)


def test_a_store_that_stalls_is_given_up_in_time_and_asked_again(busy: Busy) -> None:
    """The stall is longer than a call may take, and than a lease holds."""
    busy.goes_on_after(lambda: busy.system.core.client.client_pause(6_500))
    assert "store did not answer in time" in busy.system.log("worker")


def test_a_full_disk_holds_everything_up_until_there_is_room(tmp_path: Path) -> None:
    """With ``everysec`` the server stays up and refuses every write (MISCONF)."""
    with busy_system(tmp_path, appendfsync="everysec") as busy:

        def full() -> None:
            with busy.system.store.full_disk():
                busy.nothing_is_sent_or_acknowledged()

        busy.goes_on_after(full)
        assert "cannot write to its disk" in busy.system.log("worker")


def test_a_full_disk_that_ends_the_store_loses_nothing_once_it_is_started_with_room(
    tmp_path: Path,
) -> None:
    """With ``always`` the server ends itself rather than answer for what it cannot keep."""
    with busy_system(tmp_path) as busy:
        store = busy.system.store

        def full() -> None:
            with store.full_disk():
                busy.nothing_is_sent_or_acknowledged()
            assert store.process is not None
            assert store.process.wait(PATIENCE_S) == 1
            store.start()

        busy.goes_on_after(full)


def test_a_power_cut_that_loses_the_last_records_resends_nothing_and_forgets_no_stop(
    tmp_path: Path,
) -> None:
    """What is lost is what was not waited for: that a text was sent is learned again."""
    with busy_system(tmp_path) as busy:
        system, site = busy.system, busy.site
        leaving = system.enrol(1, email="", email_consent="")
        eventually(lambda: histories(system, [leaving]) == [[(0, State.SENT.code)]], "sent")
        assert site.text(phone(1), "STOP").status_code == 200
        system.provider.script({"fault": "late_after", "seconds": 1, "to": phone(2)})
        staying = system.enrol(2, email="", email_consent="")
        eventually(lambda: (phone(2), 1) in here(system), "the provider has it")
        log = newest_log(system)
        kept = log.stat().st_size  # begun is in it, and that it was sent will be behind it
        eventually(lambda: histories(system, [staying]) == [[(0, State.SENT.code)]], "recorded")
        system.store.kill()
        for process in system.processes:
            kill(process)
        with log.open("r+b") as file:
            file.truncate(kept)
        system.store.start()
        assert histories(system, [staying]) == [[]], "its record is lost"
        assert site.silent(leaving.patient)
        system.start("worker")
        system.start("beat")
        eventually(lambda: all(histories(system, [staying])), "it is settled")
        (entry,) = system.core.patients.history(staying.patient)
        assert (entry.state, entry.reason) == (State.SENT.code, "found")
        assert set(arrived(system).values()) == {1}


def here(system: System) -> set[tuple[str, int]]:
    return {(to, count) for (to, _), count in arrived(system).items()}


def newest_log(system: System) -> Path:
    """The file that the store appends to."""
    return max((system.store.directory / "appendonlydir").glob("*.incr.aof"))
