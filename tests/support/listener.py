"""The listener for mail that comes back, on a real store, reached by real SMTP and LMTP."""

from __future__ import annotations

import asyncio
import smtplib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from service.bootstrap import Core
from service.bootstrap.mail import arrivals_of
from service.mail.addresses import ListenAt, parse_listen
from service.mail.run import open_socket, serve
from service.store.flights import Beginning
from service.store.keys import PartitionKeys, partition_of
from tests.support.letters import letter
from tests.support.polling import until
from tests.support.servers import valkey_server
from tests.support.web import Site, web_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from service.dispatch.return_paths import ReturnPaths
    from service.store.patients import Patients
    from service.store.records import Claimed
    from tests.support.servers import Server

DOMAIN = "mail.clinic.example"
ERA_MS = 4_000_000_000_000  # everything is due by then
_numbers = count(1)


@dataclass
class Post:
    """A running listener, and an installation whose e-mails come back to it."""

    core: Core
    server: Server
    at: ListenAt
    claims: dict[str, Claimed] = field(default_factory=dict)
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.site = Site(self.core, self.server, None, "")  # type: ignore[arg-type] # no web

    @property
    def paths(self) -> ReturnPaths:
        """The addresses of the installation."""
        paths = self.core.return_paths
        assert paths is not None
        return paths

    @property
    def patients(self) -> Patients:
        """Its patients."""
        return self.core.patients

    def patient(self, email: str, given_name: str = "Ana") -> str:
        """Enrol somebody with a mailbox; their id."""
        return self.site.enrol(given_name, email=email)

    def sent(self, patient: str) -> str:
        """Begin an e-mail to a patient as a worker does; the attempt's id."""
        store = self.core.dispatch_store
        for claimed in store.claim(partition_of(patient), ERA_MS, 1000, ERA_MS):
            self.claims[claimed.fields.id] = claimed
        attempt = self.patients.new_attempt(patient)
        mailbox = self.mailbox(patient)
        one = Beginning(self.claims[patient], attempt, "email", ERA_MS, None, 0, body=mailbox)
        assert store.begin([one]) == ["ok"]
        return attempt

    def mailbox(self, patient: str) -> str:
        """The digest of a patient's mailbox."""
        contact = self.patients.contact(self.patients.load(patient))
        return self.core.suppressions.digest("email", contact.email or "")

    def copy_attempt(self, attempt: str, other: str) -> None:
        """Have another attempt on record that is like the first, as if its patient got two."""
        partition = PartitionKeys(partition_of(attempt))
        self.core.client.copy(partition.attempt(attempt), partition.attempt(other))

    def reached(self, attempt: str) -> str:
        """The state that the newest receipt of an attempt tells, as its letter."""
        record = self.core.dispatch_store.attempt(attempt)
        assert record is not None
        return record.receipt

    def silent(self, patient: str) -> bool:
        """Whether no e-mail goes to a patient any more."""
        return self.site.silent(patient, "email")

    def why(self, patient: str) -> str:
        """For which reason."""
        copy = self.patients.load(patient).suppression("email")
        return copy.reason if copy and copy.on else ""

    def client(self) -> smtplib.SMTP:
        """A conversation with the listener."""
        return client_of(self.at)

    def hand_over(
        self, name: str, to: str, *, sender: str = "", message_id: str = "", path: str = ""
    ) -> int:
        """Hand over a mail of the corpus; the code of the final answer.

        Args:
            name: of its file.
            to: envelope recipient.
            sender: the envelope's; the null sender by default.
            message_id: one of its own for each call, where none is given.
            path: the signed address that the mail is about; by default its recipient.
        """
        message_id = message_id or f"{next(_numbers)}@mta.example"
        content = letter(name, path=path or to, message_id=message_id)
        with self.client() as client:
            return hand_over(client, sender, to, content)


def client_of(at: ListenAt) -> smtplib.SMTP:
    """A client that has greeted a listener."""
    if at.protocol == "lmtp":
        client: smtplib.SMTP = smtplib.LMTP(at.host, at.port)
        client.timeout = 30
    else:
        client = smtplib.SMTP(at.host, at.port, timeout=30)
    client.ehlo_or_helo_if_needed()
    return client


def hand_over(client: smtplib.SMTP, sender: str, to: str, content: bytes) -> int:
    """One mail through a conversation; the code that it ended with."""
    client.mail(sender)
    code, _ = client.rcpt(to)
    if code != 250:
        client.rset()
        return code
    return client.data(content)[0]


@contextmanager
def post(directory: Path, protocol: str = "smtp", **overrides: object) -> Iterator[Post]:
    """Run a listener on a store of its own."""
    with valkey_server(directory / "store") as server:
        settings = web_settings(
            server.url, directory, return_address=f"bounces@{DOMAIN}", **overrides
        )
        core = Core(settings, server.url)
        try:
            with _served(core, protocol) as at:
                yield Post(core, server, at)
        finally:
            core.close()


@contextmanager
def _served(core: Core, protocol: str) -> Iterator[ListenAt]:
    """Take mail on a free port, in a thread."""
    free = parse_listen(f"{protocol}://127.0.0.1:0")
    listener = open_socket(free)
    at = ListenAt(free.protocol, free.host, listener.getsockname()[1])
    told: list[Callable[[], object]] = []

    async def until_told() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        told.append(lambda: loop.call_soon_threadsafe(ended.set))
        await serve(arrivals_of(core), at, listener, ended)

    thread = threading.Thread(target=asyncio.run, args=(until_told(),), daemon=True)
    thread.start()
    try:
        until(lambda: told, "the listener's loop runs")
        yield at
    finally:
        told[0]()
        thread.join(20)
        assert not thread.is_alive()
