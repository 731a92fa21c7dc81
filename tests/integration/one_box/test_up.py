"""`aftervisit up`: parts that die come back; nothing is doubled when its parent is killed."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.polling import until
from tests.support.servers import data_dir_for_embedded, embedded_servers, free_port
from tests.support.system import COMMAND


class Box:
    """One `up` on a data directory and a port of its own."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.settings = {f"AFTERVISIT_{name}": value for name, value in settings.items()}
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
        environment["AFTERVISIT_DATA_DIR"] = str(self.directory / "var")
        environment["AFTERVISIT_WEB_PORT"] = str(self.port)
        environment |= self.settings
        with (self.directory / "up.log").open("ab") as log:
            return subprocess.Popen(
                [COMMAND, "up"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def restart(self) -> None:
        self.process = self._start()

    def ready(self) -> bool:
        with suppress(httpx.HTTPError):
            url = f"http://127.0.0.1:{self.port}/readyz"
            answer = httpx.get(url, trust_env=False, timeout=5)
            return bool(answer.json()["status"] == "ready")
        return False

    def await_ready(self) -> None:
        until(self.ready, f"up is ready; its log is {self.directory / 'up.log'}", limit_s=40)

    def parts(self) -> dict[str, psutil.Process]:
        """The running children, by their word: web, worker, beat."""
        found = {}
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess):
                    if "service.cli" in child.cmdline():
                        found[child.cmdline()[-1]] = child
        return found

    def await_parts(self) -> dict[str, psutil.Process]:
        def all_three() -> dict[str, psutil.Process]:
            parts = self.parts()
            return parts if set(parts) == {"web", "worker", "beat"} else {}

        return until(all_three, "web, worker and beat run", limit_s=40)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with data_dir_for_embedded(tmp_path / "var"), running(tmp_path) as one:
        yield one


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[Box]:
    one = Box(directory, **settings)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end()


def test_everything_runs_and_ends_in_order_leaving_nothing_behind(box: Box) -> None:
    box.await_ready()
    children = [*box.await_parts().values()]
    assert box.end() == 0
    assert not [child for child in children if child.is_running()]
    assert embedded_servers(box.directory / "var") == []


def test_where_mail_is_to_be_taken_the_listener_runs_too(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "MAIL_LISTEN": f"lmtp://127.0.0.1:{port}",
        "RETURN_ADDRESS": "bounces@mail.clinic.example",
    }

    def greets() -> bool:
        with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", port) as client:
            return client.noop()[0] == 250
        return False

    with data_dir_for_embedded(tmp_path / "var"), running(tmp_path, **settings) as box:
        until(greets, "the listener takes mail", limit_s=60)
        assert "mail" in box.parts()
        assert box.end() == 0


@pytest.mark.parametrize("part", ["web", "worker", "beat"])
def test_a_part_that_is_killed_is_started_again(box: Box, part: str) -> None:
    box.await_ready()
    killed = box.await_parts()[part]
    killed.kill()
    until(
        lambda: box.parts().get(part, killed).pid != killed.pid,
        f"another {part} runs",
        limit_s=40,
    )
    box.await_ready()


def test_a_store_that_is_killed_comes_back_with_its_state(box: Box) -> None:
    box.await_ready()
    (server,) = embedded_servers(box.directory / "var")
    server.kill()
    until(
        lambda: [s for s in embedded_servers(box.directory / "var") if s.pid != server.pid],
        "another server runs",
        limit_s=40,
    )
    box.await_ready()


def test_a_killed_up_takes_its_parts_along_and_the_next_one_has_one_store(box: Box) -> None:
    box.await_ready()
    parts = box.await_parts()
    box.process.kill()
    box.process.wait()
    until(
        lambda: not any(part.is_running() for part in parts.values()),
        "the parts end with the parent",
        limit_s=40,
    )
    box.restart()
    box.await_ready()
    assert len(embedded_servers(box.directory / "var")) == 1


def refused(directory: Path, **variables: str) -> str:
    """What an `up` says that cannot start: one line."""
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment |= {f"AFTERVISIT_{name}": value for name, value in variables.items()}
    environment.setdefault("AFTERVISIT_DATA_DIR", str(directory / "other"))
    done = subprocess.run(
        [COMMAND, "up"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_second_up_is_refused_on_the_same_directory_and_on_the_same_port(box: Box) -> None:
    box.await_ready()
    own = str(box.directory / "var")
    assert "up` runs on" in refused(box.directory, DATA_DIR=own, WEB_PORT=str(free_port()))
    assert "cannot listen" in refused(box.directory, WEB_PORT=str(box.port))
    box.await_ready()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SMTP_URL": "http://127.0.0.1", "MAIL_FROM": "c@example.org"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://127.0.0.1:25"}, "MAIL_FROM"),
        ({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_API_BASE_URL": "http://127.0.0.1:1"}, "AUTH_TOKEN"),
        ({"CLOCK": "fast:5@junk"}, "2026-03-02T08:00"),
        ({"PUBLIC_URL": "https://x.example/?q=1"}, "query"),
        ({"MAIL_LISTEN": "lmtp://127.0.0.1:8025"}, "RETURN_ADDRESS"),
        ({"RETURN_ADDRESS": "bounces"}, "bounces@mail.clinic.example"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_can_send_nothing_are_told_before_anything_starts(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    with data_dir_for_embedded(tmp_path / "other"):
        assert named in refused(tmp_path, WEB_PORT=str(free_port()), **variables)
