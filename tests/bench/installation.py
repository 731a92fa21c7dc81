"""An installation to be measured: a store that syncs every write, real workers, a real beat."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil

from schedules.delivery import State
from service.bootstrap import Core
from service.enrolment.enrol import Enrolment
from service.enrolment.form import EnrolmentForm
from service.settings import load_settings
from service.store.connection import Durability
from service.store.patients import Patients
from service.store.records import Channel
from service.store.scripts import Call, Scripts
from service.store.suppressions import Suppressions
from tests.bench.report import Run
from tests.bench.sinks import Sink
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN
from tests.support.polling import until
from tests.support.servers import Server, valkey_server
from tests.support.system import COMMAND, kill

WORKER_PROCESSES = 2
WARM_UP = 640
"""Ten a partition: every worker process has loaded everything and has its connections."""
LIMIT_S = 120
SAMPLE = 50
NOON_SOMEWHERE = (
    "Pacific/Pago_Pago",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Pacific/Auckland",
)


class Gathering(Scripts):
    """Writes of many enrolments in one round trip: each waits until `flush`.

    The answers are those of a store that knows none of the patients, which `flush` verifies.
    """

    _FRESH: dict[str, Any] = {  # noqa: RUF012
        "enrol": [b"ok", b"1", b"a"],
        "join_address": [b"0", b"0", b""],
    }
    waiting: dict[str, list[Call]]

    def run_durably(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Let the calls wait."""
        self.waiting.setdefault(name, []).extend(calls)
        return [self._FRESH[name]] * len(calls)

    def flush(self) -> None:
        """Do what has waited, durably."""
        for name in ("join_address", "enrol"):
            calls = self.waiting.pop(name)
            for answer in super().run_durably(name, calls):
                assert answer[0] == self._FRESH[name][0], answer


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
        self._enrol(count, channel)
        self.beat = self._start("beat")
        until(self._moving, "the first claim", limit_s=30)
        began, used = time.monotonic(), self._cpu_s()
        try:
            until(self._over, "everything is sent", limit_s=LIMIT_S)
        except AssertionError as error:
            raise RuntimeError(f"{error}: {self.unfinished()}") from None
        took = time.monotonic() - began
        cpu = {name: (now - used[name]) / count * 1e6 for name, now in self._cpu_s().items()}
        self.beat.send_signal(signal.SIGTERM)
        self.beat.wait()
        self._verify(channel)
        return Run(count / took, cpu)

    def warm_up(self, channel: Channel) -> None:
        """Start the workers and have them send once."""
        self.worker = self._start("worker")
        self.run(WARM_UP, channel)

    def unfinished(self) -> str:
        """What remains to be done, and the last lines of the logs, for when a run does not end."""
        pending = self.core.dispatch_store.peek(range(self.core.partitions))
        logs = [path.read_text(errors="replace")[-2000:] for path in self.directory.glob("*.log")]
        held = sum(partition.held for partition in pending)
        return "\n".join([f"{held} flights are held", *logs])

    def close(self) -> None:
        """End the processes."""
        for process in (self.beat, self.worker):
            if process is not None:
                kill(process)

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        with (self.directory / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                [str(COMMAND), command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _enrol(self, count: int, channel: Channel) -> None:
        core = self.core
        gathering = Gathering(core.client, Durability.of(core.client))
        gathering.waiting = {}
        suppressions = Suppressions(gathering, core.index, core.partitions, core.business)
        patients = Patients(
            core.client,
            gathering,
            core.keyring,
            core.partitions,
            core.business,
            os.urandom,
            core.index,
        )
        enrolment = Enrolment(patients, suppressions, core.catalog, core.clinics, core.business)
        zone = noon_zone(datetime.now(UTC))
        self.newest = []
        for turn in range(count):
            self.enrolled += 1
            receipt = enrolment.enrol(_form(self.enrolled, channel, zone), source="bench")
            self.newest.append(receipt.patient)
            if turn % 250 == 249 or turn == count - 1:
                gathering.flush()

    def _moving(self) -> bool:
        return any(p.held for p in self.core.dispatch_store.peek(range(self.core.partitions)))

    def _over(self) -> bool:
        time.sleep(0.05)  # asking costs the store something too
        now = self.core.business.now_ms()
        return not any(
            p.held or (p.due_ms is not None and p.due_ms <= now)
            for p in self.core.dispatch_store.peek(range(self.core.partitions))
        )

    def _verify(self, channel: Channel) -> None:
        for patient in self.newest[:: max(1, len(self.newest) // SAMPLE)]:
            entry = self.core.patients.history(patient)[0]
            assert (entry.state, entry.channel) == (State.SENT.code, channel), entry

    def _cpu_s(self) -> dict[str, float]:
        assert self.worker is not None
        assert self.store.process is not None
        workers = psutil.Process(self.worker.pid).children(recursive=True)
        return {
            "workers": sum(_cpu_of(worker.pid) for worker in workers),
            "store": _cpu_of(self.store.process.pid),
            "sink": _cpu_of(self.sink.pid),
        }


def noon_zone(now: datetime) -> str:
    """A zone whose clock is nearest to noon: every window is open there."""

    def away(name: str) -> float:
        local = now.astimezone(ZoneInfo(name))
        return abs(local.hour + local.minute / 60 - 12)

    return min(NOON_SOMEWHERE, key=away)


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


def _form(number: int, channel: Channel, zone: str) -> EnrolmentForm:
    common = {
        "clinic": "",
        "given_name": "Ana",
        "series": "restless-legs",
        "timezone": zone,
        "wording": "2026-01",
    }
    if channel == "sms":
        return EnrolmentForm(**common, phone=f"+1503{2_000_000 + number}", sms_consent="verbal")
    return EnrolmentForm(**common, email=f"patient{number}@example.org", email_consent="verbal")


def _cpu_of(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
