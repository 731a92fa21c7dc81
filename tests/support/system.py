"""The whole service as real processes: store, Twilio's far end, a mail server, worker, beat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import redis

from service.bootstrap import Core
from service.enrolment.enrol import Receipt
from service.enrolment.form import EnrolmentForm
from service.settings import Settings, load_settings
from service.store.embedded import broker_url
from service.store.records import Status
from tests.fakes.mail_server import RunningMailServer, running_mail_server
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN, RunningProvider, running_provider
from tests.support.polling import until
from tests.support.servers import Server, valkey_server
from tests.support.sets import Store

COMMAND = Path(sys.executable).parent / "aftervisit"
NAMES = ("Ana", "Ben", "Chloe", "Dev", "Eli", "Fay", "Gus", "Hana")
ENDED = frozenset({Status.COMPLETED, Status.OPTED_OUT, Status.UNREACHABLE})


@dataclass
class System:
    """A running installation of a test's own.

    Attributes:
        environment: what its processes are started with.
        core: the same store seen from the test.
    """

    directory: Path
    store: Server
    provider: RunningProvider
    mail: RunningMailServer
    environment: dict[str, str]
    settings: Settings
    core: Core
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self,
        command: str,
        *,
        program: Sequence[str] = (str(COMMAND),),
        settings: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start ``aftervisit worker`` or ``beat``, in a process group of its own.

        Args:
            command: also the name of its log.
            program: what to run instead of our command line.
            settings: settings that differ from the installation's, without their prefix.
            variables: more of its environment.
        """
        log = (self.directory / f"{command}.log").open("ab")
        changed = {f"AFTERVISIT_{name}": value for name, value in (settings or {}).items()}
        process = subprocess.Popen(
            [*program, command],
            env={**self.environment, **changed, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.processes.append(process)
        return process

    @property
    def broker_url(self) -> str:
        """Celery's URL of the queue's database, on the store's server."""
        return broker_url(self.store.url)

    def broker(self) -> redis.Redis:
        """A plain client of Celery's database, on the store's server."""
        return redis.Redis(unix_socket_path=str(self.store.socket), db=1)

    def enrol(self, number: int, **changes: str) -> Receipt:
        """Enrol patient ``number``, who has a phone and a mailbox of their own."""
        form = {
            "clinic": "",
            "given_name": NAMES[number % len(NAMES)],
            "series": "restless-legs",
            "timezone": "America/Los_Angeles",
            "phone": phone(number),
            "email": f"patient{number}@example.org",
            "sms_consent": "verbal",
            "email_consent": "verbal",
            "wording": "2026-01",
        } | changes
        return self.core.enrolment.enrol(EnrolmentForm(**form), source="test")

    def ended(self, receipt: Receipt) -> bool:
        """Whether a subscription is over."""
        fields = self.core.patients.load(receipt.patient)
        subscription = fields.subscription(int(receipt.subscription.partition(".")[2]))
        assert subscription is not None
        return subscription.status in ENDED

    def await_end(self, *receipts: Receipt, limit_s: float = 60) -> None:
        """Wait until subscriptions are over."""
        waiting = list(receipts)

        def all_over() -> bool:
            waiting[:] = [receipt for receipt in waiting if not self.ended(receipt)]
            return not waiting

        until(all_over, f"all subscriptions end; logs are in {self.directory}", limit_s=limit_s)

    def close(self) -> None:
        """End whatever it started."""
        for process in self.processes:
            kill(process)

    def log(self, command: str) -> str:
        """What a process has logged."""
        path = self.directory / f"{command}.log"
        return path.read_text() if path.exists() else ""


def phone(number: int) -> str:
    """A made-up mobile number for each patient of a test."""
    return f"+1503555{number:04d}"


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a process and all that it forked."""
    if process.poll() is None or _group_lives(process.pid):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def running_system(
    directory: Path,
    *,
    clock: str = "fast:100000@2026-03-02T17:00:00",
    receipts: bool = False,
    processes: tuple[str, ...] = ("worker", "beat"),
    tcp: bool = False,
    config: Mapping[str, str] | None = None,
    on: Store | None = None,
    fill: Callable[[Server], None] = lambda _: None,
    **settings: str,
) -> Iterator[System]:
    """Run an installation; ``settings`` are environment variables without their prefix.

    Args:
        directory: for all its files.
        clock: business time.
        receipts: whether the provider posts receipts.
        processes: what to start at once.
        tcp: whether the store listens on a port too, as through a proxy.
        config: of the store's server.
        on: a store that runs already, instead of a server of its own; give ``BROKER_URL`` too.
        fill: what to put into the store before anybody opens it.
        settings: for all processes and the test's own view.
    """
    with ExitStack() as stack:
        if on is None:
            server = valkey_server(directory / "store", tcp=tcp, **dict(config or {}))
            store = stack.enter_context(server)
            fill(store)
        else:
            store = cast("Server", on)  # of which only the URL is used
        provider = stack.enter_context(running_provider(directory, receipts=receipts))
        mail = stack.enter_context(running_mail_server(directory))
        variables = {
            "REDIS_URL": store.url,
            "DATA_DIR": str(directory / "data"),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": SENDER,
            "TWILIO_API_BASE_URL": provider.url,
            "SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
            "MAIL_FROM": "Riverside Clinic <tips@clinic.example>",
            "CLOCK": clock,
            "SMS_PER_SECOND": "10000",
            "EMAILS_PER_SECOND": "10000",
            "LEASE_S": "3",
            "SETTLE_S": "2",
            "RETRY_BASE_S": "0.1",
            **settings,
        }
        environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
        environment |= {f"AFTERVISIT_{name}": value for name, value in variables.items()}
        (directory / "data").mkdir(exist_ok=True)
        loaded = load_settings(**{name.lower(): value for name, value in variables.items()})
        core = Core(loaded, store.url)
        stack.callback(core.close)
        system = System(directory, store, provider, mail, environment, loaded, core)
        stack.callback(system.close)
        for name in processes:
            system.start(name)
        yield system
