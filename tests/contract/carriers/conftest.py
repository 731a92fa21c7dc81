"""The far ends, each a process of its own, shared by a module's tests."""

from __future__ import annotations

import itertools
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.carriers.sandbox.phone import ACCOUNT_SID, AUTH_TOKEN
from tests.fakes.launch import launched
from tests.fakes.mail_server import RunningMailServer, running_mail_server
from tests.fakes.provider import ACCOUNT, TOKEN, RunningProvider, running_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = itertools.count(15_035_550_100)


@dataclass(frozen=True)
class Account:
    """Where an account is, and its credentials."""

    url: str
    sid: str
    token: str


@pytest.fixture
def phone() -> str:
    """A number that no other test of this module texts."""
    return f"+{next(_numbers)}"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = str(tmp_path_factory.mktemp("phone"))
    command = [sys.executable, "-m", "service.carriers.sandbox.phone", "--data-dir", directory]
    with launched([*command, "--follow-stdin"]) as (_, ready):
        yield f"http://127.0.0.1:{ready['port']}"


@pytest.fixture(params=["provider", "sandbox"])
def account(request: pytest.FixtureRequest) -> Account:
    """Each far end that speaks Twilio's API."""
    if request.param == "provider":
        running: RunningProvider = request.getfixturevalue("provider")
        return Account(running.url, ACCOUNT, TOKEN)
    return Account(request.getfixturevalue("sandbox_url"), ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a key and a certificate of its own making, for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def trust(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


MailServers = Callable[..., RunningMailServer]


@pytest.fixture(scope="module")
def mail_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServers]:
    """Mail servers by their options; each is started once for a module."""
    import contextlib  # noqa: PLC0415

    running: dict[tuple[str, ...], RunningMailServer] = {}
    with contextlib.ExitStack() as stack:

        def server(*options: str) -> RunningMailServer:
            if options not in running:
                directory = tmp_path_factory.mktemp("mail")
                running[options] = stack.enter_context(running_mail_server(directory, *options))
            return running[options]

        yield server
