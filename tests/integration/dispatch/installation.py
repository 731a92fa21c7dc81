"""A worker of the test's own, in this process: real store, provider and mail server, no queue."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from schedules.delivery import State
from service.bootstrap import Core, Dispatch
from service.carriers.twilio_webhooks import receipt_of
from service.enrolment.enrol import Receipt
from service.enrolment.form import EnrolmentForm
from service.settings import load_settings
from service.store.dispatching import AttemptRecord
from service.store.history import HistoryEntry
from service.store.installation import StoredClock
from service.store.records import Status
from service.store.scripts import as_text
from tests.fakes.mail_server import RunningMailServer
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN, RunningProvider
from tests.support.polling import until
from tests.support.servers import Server

NOON = "2026-03-02T20:00:00"
"""Monday noon in Los Angeles: the window is open, and steps at enrolment are due."""
_numbers = itertools.count(1)


@dataclass
class ShiftedClock:
    """The machine's clock, set on by what a test asks for."""

    ahead_ms: int = 0
    late_s: float = 0.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def monotonic(self) -> float:
        return time.monotonic() - self.late_s


@dataclass
class Worker:
    """A core and its dispatch, with clocks that a test moves."""

    core: Core
    dispatch: Dispatch
    provider: RunningProvider
    mail: RunningMailServer
    runner: asyncio.Runner
    machine: ShiftedClock
    others: list[Worker] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        server: Server,
        provider: RunningProvider,
        mail: RunningMailServer,
        data_dir: Path,
        prepare: Callable[[Core], None] = lambda _: None,
        **settings: Any,  # noqa: ANN401 - whatever a setting takes
    ) -> Worker:
        loaded = load_settings(
            **{
                "redis_url": server.url,
                "data_dir": data_dir,
                "twilio_account_sid": ACCOUNT,
                "twilio_auth_token": TOKEN,
                "twilio_from": SENDER,
                "twilio_api_base_url": provider.url,
                "smtp_url": f"smtp://127.0.0.1:{mail.port}",
                "mail_from": "Riverside Clinic <tips@clinic.example>",
                "clock": f"fast:1@{NOON}",
                "sms_per_second": 10_000,
                "emails_per_second": 10_000,
                "partitions": 1,
                "lease_s": 2,
                "settle_s": 0.5,
                "retry_base_s": 0.01,
            }
            | settings
        )
        core = Core(loaded, server.url)
        machine = ShiftedClock()
        core.machine = machine
        prepare(core)
        return cls(
            core,
            Dispatch(core),
            provider,
            mail,
            asyncio.Runner(loop_factory=uvloop.new_event_loop),
            machine,
        )

    def close(self) -> None:
        self.runner.run(self.dispatch.aclose())
        self.runner.close()
        self.core.close()

    def drain(self) -> int:
        """Settle and send what is due, as a worker's task does."""
        return self.runner.run(self.dispatch.drain(0))

    def enrol(self, **changes: str) -> Patient:
        """Enrol somebody with a number and a mailbox that nobody else has."""
        number = next(_numbers)
        form = {
            "clinic": "",
            "given_name": "Ana",
            "series": "restless-legs",
            "timezone": "America/Los_Angeles",
            "phone": f"+1503555{number:04d}",
            "email": f"patient{number}@example.org",
            "sms_consent": "verbal",
            "email_consent": "verbal",
            "wording": "2026-01",
        } | changes
        receipt = self.core.enrolment.enrol(EnrolmentForm(**form), source="test")
        return Patient(self, receipt, form["phone"], form["email"])

    def enrol_by_text(self, **changes: str) -> Patient:
        return self.enrol(email="", email_consent="", **changes)

    def enrol_by_mail(self, **changes: str) -> Patient:
        return self.enrol(phone="", sms_consent="", **changes)

    def drain_until(self, condition: Callable[[], object], what: str) -> None:
        """Drain as the ticks would have it, second after second, until something is so."""

        def drained() -> bool:
            if condition():
                return True
            self.drain()
            self.wait(1)
            return bool(condition())

        until(drained, what)

    def to_next_due(self) -> None:
        """Move business time on to the next due instant."""
        (pending,) = self.core.dispatch_store.peek([0])
        assert pending.due_ms is not None
        assert isinstance(self.core.business, StoredClock)
        self.core.business.set_ms(pending.due_ms)

    def report(self, patient: Patient, status: str, code: str = "") -> bool:
        """Have a receipt of the patient's latest text applied, as the webhook does."""
        sid = [t for t in self.provider.accepted() if t["to"] == patient.phone][-1]["sid"]
        (attempt,) = [a for a, record in self.attempts().items() if record.provider_id == sid]
        return self.report_of(attempt, sid, status, code)

    def report_of(self, attempt: str, sid: str, status: str, code: str = "") -> bool:
        """The same for an attempt by its id, which the callback's URL carries."""
        form = {"MessageSid": sid, "MessageStatus": status}
        form |= {"ErrorCode": code} if code else {}
        return self.core.receipts.apply(receipt_of(form, attempt))

    def attempts(self) -> dict[str, AttemptRecord]:
        """Every attempt on record."""
        names = [as_text(key).rpartition(":")[2] for key in self.core.client.keys("{p0}:t:*")]
        found = {name: self.core.dispatch_store.attempt(name) for name in names}
        return {name: record for name, record in found.items() if record is not None}

    def wait(self, seconds: float) -> None:
        """Let the machine's time pass."""
        self.machine.ahead_ms += int(seconds * 1000)


@dataclass(frozen=True)
class Patient:
    """One patient of a test, and what reached them."""

    worker: Worker
    receipt: Receipt
    phone: str
    email: str

    @property
    def history(self) -> list[HistoryEntry]:
        return self.worker.core.patients.history(self.receipt.patient)

    @property
    def states(self) -> list[State]:
        return [State.from_code(entry.state) for entry in self.history]

    @property
    def status(self) -> Status:
        subscription = self.worker.core.patients.load(self.receipt.patient).subscription(1)
        assert subscription is not None
        return subscription.status

    @property
    def texts(self) -> list[str]:
        return [
            text["body"] for text in self.worker.provider.accepted() if text["to"] == self.phone
        ]

    @property
    def mails(self) -> list[str]:
        return [
            mail["content"]
            for mail in self.worker.mail.accepted()
            if self.email and mail["to"] == [self.email]
        ]

    def refused(self, fault: str, **script: object) -> None:
        """Have the provider do something to this patient's next text."""
        self.worker.provider.script({"fault": fault, "to": self.phone, **script})
