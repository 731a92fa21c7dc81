"""Run the demonstration: the same worker, beat, web and carriers, pointed at the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from service.bootstrap import Core, store_urls
from service.clinics import SAMPLE_CLINIC
from service.clock import to_ms
from service.demo.journal import JournalKeeper
from service.demo.sample import (
    DEEDS,
    NEWCOMER,
    PATIENTS,
    REFUSED,
    STAFF,
    START,
    Deed,
    SamplePatient,
)
from service.demo.sandbox import Sandbox, running_sandbox
from service.demo.staff import SampleMember, sample_member
from service.demo.tally import Tally, tally
from service.errors import ConfigurationError, InvalidInput
from service.settings import Settings, load_settings
from service.store.connection import connect
from service.store.installation import StoredClock
from service.supervisor import PARTS, Supervisor, own_command

SECONDS = 16.0
"""Real seconds that the calendar alone takes; the sending comes on top."""
STEP_S = 0.05
STALLED_S = 60.0
"""Longest real time in which business time may stand still: something is broken then."""
DAY_MS = 86_400_000


@dataclass
class Demo:
    """A running demonstration.

    Attributes:
        member: who may sign in to the console.
        refused: the sentence with which the one impossible enrolment was refused.
        names: sample patients by id.
    """

    core: Core
    sandbox: Sandbox
    supervisor: Supervisor
    days: int
    member: SampleMember
    refused: str = ""
    names: dict[str, SamplePatient] = field(default_factory=dict)
    undone: list[Deed] = field(default_factory=lambda: list(DEEDS))

    def __post_init__(self) -> None:
        self._journal = JournalKeeper(self.core, self.sandbox.directory)

    @property
    def end_ms(self) -> int:
        """Business ms UTC at which the days are over."""
        return to_ms(START + timedelta(days=self.days))

    def now_ms(self) -> int:
        """Business time, ms UTC."""
        return self.core.business.now_ms()

    def enrol(self) -> None:
        """Enrol the sample patients; one is refused, in words."""
        for sample in PATIENTS:
            receipt = self.core.enrolment.enrol(sample.form(), source="demo")
            self.names[receipt.patient] = sample
        try:
            self.core.enrolment.enrol(REFUSED.form(), source="demo")
        except InvalidInput as error:
            self.refused = f"{REFUSED.given_name} was not enrolled. {error}"
        roster = [
            {
                "given_name": sample.given_name,
                "place": sample.place,
                "timezone": sample.timezone,
                "language": sample.language,
                "phone": sample.phone,
                "email": sample.email,
            }
            for sample in (*PATIENTS, NEWCOMER, STAFF)
        ]
        (self.sandbox.directory / "roster.json").write_text(json.dumps(roster), encoding="utf-8")

    def run(self, watch: Callable[[Demo], None]) -> Tally:
        """Let the days pass, calling ``watch`` about twenty times a second.

        Raises:
            ConfigurationError: a part keeps ending, or business time stands still.
        """
        moved, last = time.monotonic(), -1
        while (now := self.now_ms()) < self.end_ms:
            self._keep_clock(now)
            self._act(now)
            watch(self)
            self.attend()
            if now != last:
                moved, last = time.monotonic(), now
            failing = self.supervisor.failing()
            if failing or time.monotonic() - moved > STALLED_S:
                raise ConfigurationError(
                    f"The demonstration does not get on ({failing or 'time stands still'}); "
                    f"look at {self.log}."
                )
            time.sleep(STEP_S)
        self._keep_clock(now)
        watch(self)
        return self.tally()

    def attend(self) -> None:
        """Start parts that ended again, and tell the sandbox what has become of replies."""
        self.supervisor.watch()
        self._journal.keep()

    def rest(self) -> None:
        """Hold the calendar; all parts stay, so that replies are followed and answered."""
        if isinstance(self.core.business, StoredClock):
            self.core.business.hold()
        self._keep_clock(self.now_ms())

    @property
    def log(self) -> Path:
        """Where the parts log."""
        return self.sandbox.directory.parent / "demo.log"

    def tally(self) -> Tally:
        """What went out so far."""
        return tally(self.core, list(self.names), self.days, self.end_ms)

    def _keep_clock(self, now_ms: int) -> None:
        """Tell the sandbox's page what time it is in the demonstration."""
        path = self.sandbox.directory / "clock"
        fresh = path.with_suffix(".new")
        fresh.write_text(str(now_ms), encoding="ascii")
        fresh.replace(path)

    def _act(self, now_ms: int) -> None:
        """Let sample patients do what they do by now."""
        while self.undone and to_ms(self.undone[0].at) <= now_ms:
            deed = self.undone.pop(0)
            who = next(sample for sample in PATIENTS if sample.given_name == deed.who)
            if deed.says is None:
                self.sandbox.unsubscribe(who.email)
            elif deed.by_mail:
                self.sandbox.reply(who.email, deed.says)
            else:
                self.sandbox.text(who.phone, deed.says)


@contextmanager
def running_demo(settings: Settings, days: int) -> Iterator[Demo]:
    """A fresh demonstration in ``DATA_DIR/demo``, its days not yet begun.

    Raises:
        ConfigurationError: ``REDIS_URL`` is set, or another demonstration runs here.
    """
    if settings.redis_url:
        raise ConfigurationError(
            "The demonstration makes a store of its own and empties it: unset AFTERVISIT_REDIS_URL."
        )
    home = settings.data_dir / "demo"
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(home / "demo.lock", timeout=0))
        except Timeout:
            raise ConfigurationError(
                "Another demonstration runs on this data directory; end it, or set "
                "AFTERVISIT_DATA_DIR to another one."
            ) from None
        shutil.rmtree(home / "sandbox", ignore_errors=True)
        yield _assembled(stack, home, days)


def _assembled(stack: ExitStack, home: Path, days: int) -> Demo:
    port, mail_port = _free_ports()
    public_url = f"http://127.0.0.1:{port}"
    webhook = f"{public_url}/webhooks/twilio/inbound"
    sandbox = stack.enter_context(
        running_sandbox(home / "sandbox", inbound_url=webhook, mail_in=mail_port)
    )
    clinics = home / "clinics.toml"
    clinics.write_text(_clinics_file(), encoding="utf-8")
    factor = days * 86_400 / SECONDS
    variables = {
        "DATA_DIR": str(home),
        "PUBLIC_URL": public_url,
        "WEB_PORT": str(port),
        "CLINICS": str(clinics),
        "MAIL_LISTEN": f"smtp://127.0.0.1:{mail_port}",
        "RETURN_ADDRESS": "bounces@mail.riverside.example",
        "CLOCK": f"fast:{factor:.3f}@{START.isoformat()}",
        "SETTLE_S": "20",
        "LEASE_S": "10",
        "RETRY_BASE_S": "0.5",
        **sandbox.variables(),
    }
    settings = load_settings(**{name.lower(): value for name, value in variables.items()})
    urls = stack.enter_context(store_urls(settings, hold=True))
    client = connect(urls.store)
    client.flushall()
    client.close()
    core = Core(settings, urls.store)
    stack.callback(core.close)
    log = os.open(home / "demo.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    stack.callback(os.close, log)
    supervisor = stack.enter_context(Supervisor(output=log))
    demo = Demo(core, sandbox, supervisor, days, sample_member(core))
    demo.enrol()
    environment = {f"AFTERVISIT_{name}": value for name, value in variables.items()}
    for part in (*PARTS, "mail"):
        supervisor.add(part, own_command(part), environment)
    return demo


def _clinics_file() -> str:
    """The sample clinic, with answers to its e-mails read by the service."""
    clinic = SAMPLE_CLINIC.model_copy(update={"email_replies": "inbox"})
    values = clinic.model_dump(mode="json", exclude_none=True)
    # JSON's strings, numbers and lists read alike in TOML.
    return "\n".join(["[[clinic]]", *(f"{k} = {json.dumps(v)}" for k, v in values.items()), ""])


def _free_ports() -> tuple[int, int]:
    with socket.socket() as web, socket.socket() as mail:
        for probe in (web, mail):
            probe.bind(("127.0.0.1", 0))
        return web.getsockname()[1], mail.getsockname()[1]
