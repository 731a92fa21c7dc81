"""An installation to be measured: a store that syncs every write, real workers, a real beat."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from schedules.delivery import State
from service.bootstrap import Core
from service.settings import load_settings
from service.store.keys import LAST_TICK
from service.store.records import Channel
from tests.bench.filling import a_form, enrol_all, noon_zone
from tests.bench.report import Run
from tests.bench.sinks import Sink
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN
from tests.support.polling import until
from tests.support.servers import Server, valkey_server
from tests.support.system import COMMAND, kill

WORKER_PROCESSES = 2
WARM_UP = 640
"""Ten a partition: every worker process has loaded everything and has its connections."""
LIMIT_S = 180
SAMPLE = 50


@dataclass
class Installation:
    """A store, workers that wait for work, and patients who are all due at once."""

    directory: Path
    store: Server
    core: Core
    environment: dict[str, str]
    sink: Sink
    worker: subprocess.Popen[bytes] | None = None
    beat: subprocess.Popen[bytes] | None = None
    enrolled: int = 0
    newest: list[str] = field(default_factory=list)

    def run(self, count: int, channel: Channel) -> Run:
        """Enrol ``count`` patients whose first step is due, start beat, and wait for the last."""
        self.enrol(count, channel)
        self.start_beat()
        until(self._moving, "the first claim", limit_s=30)
        began, used = time.monotonic(), self._cpu_s()
        self.finish()
        took = time.monotonic() - began
        cpu = {name: (now - used[name]) / count * 1e6 for name, now in self._cpu_s().items()}
        self.end_beat()
        self.verify(channel)
        return Run(count / took, cpu)

    def warm_up(self, channel: Channel) -> None:
        """Start the workers and have them send once."""
        self.start_worker()
        self.run(WARM_UP, channel)

    def start_worker(self) -> None:
        """Start the workers."""
        self.worker = self.start("worker")

    def start_beat(self) -> None:
        """Start the beat, as if one had ticked until now: enrolling many is no gap in service."""
        self.core.client.set(LAST_TICK, self.core.machine.now_ms())
        self.beat = self.start("beat")

    def end_beat(self) -> None:
        """End the beat in order."""
        assert self.beat is not None
        self.beat.send_signal(signal.SIGTERM)
        self.beat.wait()

    def finish(self, limit_s: float = LIMIT_S) -> None:
        """Wait until nothing is due or held.

        Raises:
            RuntimeError: it takes too long; says what is left, and the last lines of the logs.
        """
        try:
            until(self._over, "everything is sent", limit_s=limit_s)
        except AssertionError as error:
            raise RuntimeError(f"{error}: {self._unfinished()}") from None

    def enrol(self, count: int, channel: Channel) -> None:
        """Enrol so many patients who are not known yet; their first step is due at once."""
        zone, first = noon_zone(), self.enrolled
        text, mail = channel == "sms", channel == "email"
        self.enrolled += count
        self.newest = enrol_all(
            self.core, count, lambda number: a_form(first + number, zone, text=text, mail=mail)
        )

    def verify(self, channel: Channel) -> None:
        """See in a sample of the newest patients that their first message is recorded as sent."""
        for patient in self.newest[:: max(1, len(self.newest) // SAMPLE)]:
            entry = self.core.patients.history(patient)[0]
            assert (entry.state, entry.channel) == (State.SENT.code, channel), entry

    def worker_memory(self) -> list[int]:
        """Resident bytes of each process of the worker, its parent first."""
        assert self.worker is not None
        return memory_of(self.worker.pid)

    def used_s(self) -> float:
        """Seconds of CPU that store, beat and workers have used so far."""
        assert self.beat is not None
        assert self.worker is not None
        used = self._cpu_s()
        parents = cpu_of(self.beat.pid) + cpu_of(self.worker.pid)
        return used["workers"] + used["store"] + parents

    def close(self) -> None:
        """End the processes."""
        for process in (self.beat, self.worker):
            if process is not None:
                kill(process)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a part; whoever starts it ends it."""
        with (self.directory / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                [str(COMMAND), command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _moving(self) -> bool:
        return any(p.held for p in self.core.dispatch_store.peek(range(self.core.partitions)))

    def _over(self) -> bool:
        time.sleep(0.05)  # asking costs the store something too
        now = self.core.business.now_ms()
        return not any(
            p.held or (p.due_ms is not None and p.due_ms <= now)
            for p in self.core.dispatch_store.peek(range(self.core.partitions))
        )

    def _unfinished(self) -> str:
        pending = self.core.dispatch_store.peek(range(self.core.partitions))
        logs = [path.read_text(errors="replace")[-2000:] for path in self.directory.glob("*.log")]
        held = sum(partition.held for partition in pending)
        return "\n".join([f"{held} flights are held", *logs])

    def _cpu_s(self) -> dict[str, float]:
        assert self.worker is not None
        assert self.store.process is not None
        workers = psutil.Process(self.worker.pid).children(recursive=True)
        return {
            "workers": sum(cpu_of(worker.pid) for worker in workers),
            "store": cpu_of(self.store.process.pid),
            "sink": cpu_of(self.sink.pid),
        }


@contextmanager
def running_installation(directory: Path, sink: Sink, **settings: str) -> Iterator[Installation]:
    """An installation whose carriers lead to a sink; no worker runs yet.

    Args:
        directory: on the disk whose syncs are to count.
        sink: what takes its messages.
        settings: environment variables without their prefix.
    """
    (directory / "data").mkdir(parents=True)
    with valkey_server(directory / "store", appendfsync="always") as store:
        variables = {
            "REDIS_URL": store.url,
            "DATA_DIR": str(directory / "data"),
            "PUBLIC_URL": "https://drip.example.org",
            "WORKER_PROCESSES": str(WORKER_PROCESSES),
            "SMS_PER_SECOND": "1000000",
            "EMAILS_PER_SECOND": "1000000",
            **settings,
        }
        environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
        environment |= {f"AFTERVISIT_{name}": value for name, value in variables.items()}
        loaded = load_settings(**{name.lower(): value for name, value in variables.items()})
        installation = Installation(directory, store, Core(loaded, store.url), environment, sink)
        try:
            yield installation
        finally:
            installation.close()
            installation.core.close()


def text_settings(sink: Sink) -> dict[str, str]:
    """Settings that lead texts to a sink."""
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": SENDER,
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{sink.port}",
    }


def mail_settings(sink: Sink) -> dict[str, str]:
    """Settings that lead e-mail to a sink."""
    return {
        "SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        "MAIL_FROM": "Riverside Clinic <tips@clinic.example>",
    }


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory_of(pid: int) -> list[int]:
    """Resident bytes of a process and of its children."""
    process = psutil.Process(pid)
    sizes = []
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            sizes.append(int(each.memory_info().rss))
    return sizes
