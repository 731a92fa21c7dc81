"""A mail server that somebody else wrote (Postfix's ``smtp-sink``) refuses, breaks off, hangs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from service.store.installation import StoredClock
from service.store.records import Status
from tests.fakes.mail_server import running_mail_server
from tests.fakes.provider import running_provider
from tests.integration.dispatch.installation import Worker
from tests.integration.faults.patience import TEST_S, eventually
from tests.support.servers import free_port, valkey_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(TEST_S)


class Site:
    """A worker of the test's own, and the sink that it sends its mail to."""

    def __init__(self, worker: Worker, port: int, directory: Path) -> None:
        self.worker = worker
        self.port = port
        self.counters = directory / "counters"

    @contextmanager
    def sink(self, *options: str) -> Iterator[None]:
        """Run ``smtp-sink`` with these options; it counts what it accepts (``-c``)."""
        program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            reason = "this test needs Postfix's smtp-sink (apt-get install postfix)"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        command = [program, *(("-u", "nobody") if os.geteuid() == 0 else ())]
        command += ["-c", *options, f"127.0.0.1:{self.port}", "16"]
        with (
            self.counters.open("ab") as counters,
            subprocess.Popen(command, stdout=counters, stderr=subprocess.DEVNULL) as process,
        ):
            try:
                eventually(self._listens, "smtp-sink listens")
                yield
            finally:
                process.kill()

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def accepted(self) -> int:
        """How many mails the latest sink has taken whole."""
        counted = re.findall(rb"mesg=(\d+)", self.counters.read_bytes())
        return int(counted[-1]) if counted else 0

    def later(self, span: timedelta) -> None:
        """Let business time and the machine's pass, and drain."""
        clock = self.worker.core.business
        assert isinstance(clock, StoredClock)
        clock.set_ms(clock.now_ms() + int(span.total_seconds() * 1000))
        self.worker.wait(span.total_seconds())
        self.worker.drain()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    with (
        valkey_server(tmp_path / "store") as server,
        running_provider(tmp_path) as provider,
        running_mail_server(tmp_path) as unused,
    ):
        url = f"smtp://127.0.0.1:{port}"
        worker = Worker.start(server, provider, unused, tmp_path / "data", smtp_url=url)
        try:
            yield Site(worker, port, tmp_path)
        finally:
            worker.close()


def test_greylisted_mail_is_tried_again_with_growing_waits_and_goes_once(site: Site) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-r", "RCPT"):
        for _ in range(3):
            site.later(timedelta(minutes=1))
        assert patient.history == []
    with site.sink():
        site.later(timedelta(minutes=1))
        site.later(timedelta(minutes=1))
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.attempts) == (State.SENT, 4)
    assert site.accepted() == 1


def test_mail_that_is_put_off_for_ever_is_given_up_when_its_step_expires(site: Site) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-r", "RCPT"):
        for _ in range(10):
            site.later(timedelta(days=1))
    first = patient.history[0]
    assert (State.from_code(first.state), first.reason) == (State.SKIPPED, "expired")
    assert first.attempts > 3
    assert patient.status is Status.ACTIVE, "the series goes on"
    assert site.accepted() == 0


def test_a_mailbox_that_does_not_exist_is_refused_for_good(site: Site) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-f", "RCPT", "-B", "550 5.1.1 no such user"):
        site.worker.drain()
        (entry,) = patient.history
        assert (State.from_code(entry.state), entry.code) == (State.FAILED, "550 5.1.1")
        assert patient.status is Status.UNREACHABLE
        site.later(timedelta(days=7))
    assert len(patient.history) == 1


def test_a_connection_lost_at_data_proves_that_it_was_not_taken_and_it_goes_later(
    site: Site,
) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-q", "DATA"):
        site.worker.drain()
        assert patient.history == []
    with site.sink():
        site.later(timedelta(minutes=1))
    assert patient.states == [State.SENT]
    assert site.accepted() == 1


def test_a_connection_lost_after_the_last_dot_is_unknown_and_never_sent_again(site: Site) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-q", "."):
        site.worker.drain()
    with site.sink():
        site.worker.drain_until(lambda: patient.history, "the time for proof is over")
        site.later(timedelta(hours=1))
    assert patient.states == [State.UNKNOWN]
    assert site.accepted() <= 1


def test_a_server_that_hangs_is_left_in_time_and_the_mail_goes_later(site: Site) -> None:
    patient = site.worker.enrol_by_mail()
    with site.sink("-w", "30"):
        site.worker.drain()
        assert patient.history == []
    with site.sink():
        site.later(timedelta(minutes=1))
    assert patient.states == [State.SENT]
    assert site.accepted() == 1
