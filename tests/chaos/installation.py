"""A whole installation as real processes on this machine, with faulty proxies in between.

Everything that a checker is to see is in append-only files under one directory: what the far ends
did (``provider.jsonl``, ``mail.jsonl``), what was done to them (``faults.jsonl``, ``proxy.jsonl``,
``mail.faults.jsonl``), who was enrolled (``roster.jsonl``), who left and when it was acknowledged
(``acknowledged.jsonl``), and how business time moved (``clock.jsonl``).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import redis

from service.bootstrap import Core
from service.settings import load_settings
from tests.chaos.proxy import RunningProxy, running_proxy
from tests.fakes.mail_server import RunningMailServer, running_mail_server
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN, RunningProvider, running_provider
from tests.support.servers import Server, free_port, valkey_server
from tests.support.system import COMMAND, kill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
MOVED_CLOCK = Path(__file__).parent / "moved_clock"
BEGINS = "2026-03-02T09:00:00"
SPEED = 2_000_000
SAMPLE_S = 0.004
LEASE_S = 2.0
SETTLE_S = 5.0


def now_ms() -> int:
    """The machine's time, ms UTC."""
    return time.time_ns() // 1_000_000


class Journal:
    """Append-only files of one run; safe for several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._turn = threading.Lock()

    def write(self, name: str, **event: Any) -> None:  # noqa: ANN401 - whatever JSON takes
        """Add one line to ``name.jsonl``."""
        with self._turn, (self.directory / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def fault(self, kind: str, start: int, end: int, **detail: Any) -> None:  # noqa: ANN401
        """Leave word of an injected fault; times are the machine's, ms UTC."""
        self.write("faults", kind=kind, start=start, end=end, **detail)


@dataclass
class Installation:
    """A running installation.

    Attributes:
        offset_s: how far the clock of workers and beats is ahead of the machine's.
    """

    directory: Path
    journal: Journal
    store: Server
    broker: Server
    provider: RunningProvider
    mail: RunningMailServer
    proxy: RunningProxy
    core: Core
    environment: dict[str, str]
    web_url: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)
    leaving: list[subprocess.Popen[bytes]] = field(default_factory=list)
    web: subprocess.Popen[bytes] | None = None
    offset_s: int = 0

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start ``aftervisit web``, ``worker`` or ``beat`` in a process group of its own."""
        with (self.directory / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                [str(COMMAND), command],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_all(self, workers: int, beats: int) -> None:
        """Start every part."""
        self.web = self.start("web")
        self.workers += [self.start("worker") for _ in range(workers)]
        self.beats += [self.start("beat") for _ in range(beats)]

    def supervise(self) -> None:
        """Start anew what ended by itself, as whoever runs the service would.

        A part ends at its start where it finds no store; later none of them should.
        """
        for command, processes in (("worker", self.workers), ("beat", self.beats)):
            for place, process in enumerate(processes):
                if process.poll() is not None:
                    self.journal.write("ended", command=command, at=now_ms(), code=process.wait())
                    processes[place] = self.start(command)
        if self.web is not None and self.web.poll() is not None:
            self.journal.write("ended", command="web", at=now_ms(), code=self.web.wait())
            self.web = self.start("web")

    def children(self) -> list[psutil.Process]:
        """The processes in which workers send."""
        found: list[psutil.Process] = []
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                found += psutil.Process(worker.pid).children()
        return found

    def shift_clock(self, offset_s: int) -> None:
        """Set the clock of workers and beats; the provider's goes along where it goes ahead."""
        self.offset_s = offset_s
        path = self.directory / "offset"
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{offset_s}\n")
        fresh.replace(path)
        self.journal.write("eras", at=now_ms(), offset_s=offset_s)

    def close(self) -> None:
        """End whatever still runs."""
        for process in [*self.workers, *self.beats, *self.leaving, *filter(None, [self.web])]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            kill(process)

    def web_answers(self) -> bool:
        """Whether the web part takes requests."""
        with contextlib.suppress(OSError):
            host, _, port = self.web_url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(port)), 1):
                return True
        return False


class ClockWatch:
    """Follows business time into ``clock.jsonl``: ``before`` and ``after`` reading it, ms UTC."""

    def __init__(self, server: Server, journal: Journal) -> None:
        self._server = server
        self._journal = journal
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        client = self._server.client(socket_timeout=1)
        last: tuple[int, int, int] | None = None
        while not self._ended.wait(SAMPLE_S):
            before = now_ms()
            try:
                value = int(client.hget("av:clock", "now") or 0)
            except (redis.RedisError, OSError):
                continue
            after = now_ms()
            if last is None or value != last[2]:
                if last is not None:
                    self._write(last)
                self._write((before, after, value))
            last = (before, after, value)
        if last is not None:
            self._write(last)
        client.close()

    def _write(self, sample: tuple[int, int, int]) -> None:
        self._journal.write("clock", before=sample[0], after=sample[1], business=sample[2])


@contextlib.contextmanager
def running_installation(
    directory: Path,
    *,
    source: Path | None = None,
    moved: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Run all servers and the web part; workers and beats are started by whoever needs them.

    Args:
        directory: of this run; everything is kept there.
        source: a tree whose packages the service's processes run instead of the installed ones.
        moved: whether the service's processes run under a clock that can be moved.
        settings: further environment variables, without their prefix.
    """
    directory.mkdir(parents=True, exist_ok=True)
    web_port = free_port()
    web_url = f"http://127.0.0.1:{web_port}"
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(valkey_server(directory / "store", tcp=True))
        broker = stack.enter_context(
            valkey_server(directory / "broker", tcp=True, appendonly="no", appendfsync="no")
        )
        inbound = f"{web_url}/webhooks/twilio/inbound#rc=3&rp=all"
        provider = stack.enter_context(
            running_provider(directory, receipts=True, inbound_url=inbound)
        )
        mail = stack.enter_context(running_mail_server(directory))
        targets = {
            "store": ("127.0.0.1", store.port),
            "broker": ("127.0.0.1", broker.port),
            "provider": ("127.0.0.1", int(provider.url.rpartition(":")[2])),
        }
        proxy = stack.enter_context(running_proxy(directory / "proxy.jsonl", targets))
        variables = _variables(directory, proxy.ports, mail.port, web_port) | dict(settings or {})
        loaded = load_settings(**{name.lower(): value for name, value in variables.items()})
        core = Core(loaded, store.url)
        stack.callback(core.close)
        installation = Installation(
            directory,
            Journal(directory),
            store,
            broker,
            provider,
            mail,
            proxy,
            core,
            _environment(variables, source, directory / "offset" if moved else None),
            web_url,
        )
        installation.shift_clock(0)
        stack.callback(installation.close)
        stack.enter_context(ClockWatch(store, installation.journal))
        yield installation


def _variables(
    directory: Path, ports: Mapping[str, int], mail_port: int, web_port: int
) -> dict[str, str]:
    return {
        "REDIS_URL": f"redis://127.0.0.1:{ports['store']}/0",
        "BROKER_URL": f"redis://127.0.0.1:{ports['broker']}/0",
        "DATA_DIR": str(directory / "data"),
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": SENDER,
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{ports['provider']}",
        "SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "MAIL_FROM": "Riverside Clinic <tips@clinic.example>",
        "PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "WEB_PORT": str(web_port),
        "CLOCK": f"fast:{SPEED}@{BEGINS}",
        "PARTITIONS": "8",
        "SMS_PER_SECOND": "10000",
        "EMAILS_PER_SECOND": "10000",
        "LEASE_S": str(LEASE_S),
        "SETTLE_S": str(SETTLE_S),
        "RETRY_BASE_S": "0.1",
    }


def _environment(
    variables: Mapping[str, str], source: Path | None, clock: Path | None
) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment |= {f"AFTERVISIT_{name}": value for name, value in variables.items()}
    paths = [str(source or ROOT)]
    if clock is not None:
        paths.append(str(MOVED_CLOCK))
        environment["CHAOS_CLOCK"] = str(clock)
    return environment | {"PYTHONPATH": os.pathsep.join(paths)}
