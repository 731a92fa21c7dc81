"""Workers of one test as real processes, patients of its own, and what reached them."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schedules.delivery import State
from tests.integration.faults.patience import eventually
from tests.support.system import kill, phone

if TYPE_CHECKING:
    import subprocess

    from service.enrolment.enrol import Receipt
    from service.store.history import HistoryEntry
    from service.store.records import Flight, Status
    from tests.support.system import System
    from tests.support.wire import Moment, Part, Wire

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Somebody:
    """A patient, and what reached them."""

    system: System
    receipt: Receipt
    phone: str
    email: str

    @property
    def history(self) -> list[HistoryEntry]:
        return self.system.core.patients.history(self.receipt.patient)

    @property
    def states(self) -> list[State]:
        return [State.from_code(entry.state) for entry in self.history]

    @property
    def status(self) -> Status:
        found = self.system.core.patients.load(self.receipt.patient).subscription(1)
        assert found is not None
        return found.status

    @property
    def flight(self) -> Flight | None:
        found = self.system.core.patients.load(self.receipt.patient).subscription(1)
        assert found is not None
        return found.flight

    @property
    def arrived(self) -> int:
        """How many texts and mails the far ends have accepted for them."""
        texts = [text for text in self.system.provider.accepted() if text["to"] == self.phone]
        mails = [mail for mail in self.system.mail.accepted() if mail["to"] == [self.email]]
        return len(texts) + len(mails)

    def settled(self) -> HistoryEntry:
        """Wait for what became of the first delivery, and return it."""
        eventually(lambda: self.history, f"it is settled; logs: {self.system.directory}")
        return self.history[0]


@dataclass(frozen=True)
class Caught:
    """A worker that stands still between two steps of a text and of a mail.

    Attributes:
        moment: where it stands, until it is released.
        worker: the process.
    """

    moment: Moment
    worker: subprocess.Popen[bytes]
    text: Somebody
    mail: Somebody


@dataclass
class Scene:
    """A system, a wire to its store, and the workers that the test has started."""

    system: System
    wire: Wire
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, *, wired: bool = False, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker; a wired one reaches the store through the wire, the broker without."""
        if wired:
            settings |= {"REDIS_URL": self.wire.url, "BROKER_URL": self.system.broker_url}
        process = self.system.start("worker", settings=settings)
        self.workers.append(process)
        return process

    def catch(self, needle: bytes, part: Part, **settings: str) -> Caught:
        """Have a worker start on a text and a mail, and hold it at a call of the store."""
        moment = self.wire.hold(needle, part)
        text, mail = self.by_text(), self.by_mail()
        worker = self.worker(wired=True, **settings)
        moment.await_reached()
        return Caught(moment, worker, text, mail)

    def catch_and_freeze(self, needle: bytes, part: Part, **settings: str) -> Caught:
        """`catch` a worker, freeze it there while its moment goes by, and start another one."""
        caught = self.catch(needle, part, **settings)
        freeze(caught.worker)
        caught.moment.release()
        self.worker(wired=False, **settings)
        return caught

    def by_text(self, **changes: str) -> Somebody:
        number = next(_numbers)
        receipt = self.system.enrol(number, email="", email_consent="", **changes)
        return Somebody(self.system, receipt, phone(number), "")

    def by_mail(self, **changes: str) -> Somebody:
        number = next(_numbers)
        receipt = self.system.enrol(number, phone="", sms_consent="", **changes)
        return Somebody(self.system, receipt, "", f"patient{number}@example.org")

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGCONT)
            kill(worker)


def freeze(worker: subprocess.Popen[bytes]) -> None:
    """Stop a worker and all that it forked from running (SIGSTOP)."""
    os.killpg(worker.pid, signal.SIGSTOP)


def thaw(worker: subprocess.Popen[bytes]) -> None:
    """Let it go on."""
    os.killpg(worker.pid, signal.SIGCONT)
