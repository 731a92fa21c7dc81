"""Sets over TLS: Debian's redis-server speaks it, the bundled valkey-server does not."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.errors import StoreUnavailable
from service.store.connection import Durability, connect, store_errors
from service.store.set_check import check_set
from tests.support.polling import until
from tests.support.servers import free_port, redis_binary, redis_server, sentinel_server
from tests.support.sets import SERVICE, SLOTS, raw

PASSWORD = "of-the-servers"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate for the loopback address that vouches for itself."""
    directory = tmp_path_factory.mktemp("tls")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.NameAttribute
    subject = x509.Name([name(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {
        "tls_cert_file": str(directory / "cert.pem"),
        "tls_key_file": str(directory / "key.pem"),
        "tls_ca_cert_file": str(directory / "cert.pem"),
        "tls_auth_clients": "no",
        "tls_replication": "yes",
        "requirepass": PASSWORD,
    }


def test_a_cluster_over_tls(tmp_path: Path, certificate: dict[str, str]) -> None:
    port, bus = str(free_port()), str(free_port())
    more = {"tls_port": port, "cluster_enabled": "yes", "cluster_port": bus, "tls_cluster": "yes"}
    url = f"rediss+cluster://:{PASSWORD}@127.0.0.1:{port}"
    with redis_server(tmp_path / "node", tcp=False, **certificate | more) as server:
        with server.client(password=PASSWORD) as plain:
            plain.execute_command("CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
            until(lambda: b"cluster_state:ok" in raw(plain, "CLUSTER INFO"), "it is whole")
        with connect(f"{url}?ssl_ca_certs={certificate['tls_ca_cert_file']}") as client:
            client.set("{p1}:x", 1)
            assert client.get("{p1}:x") == b"1"
            assert Durability.of(client).limit_ms


def test_a_set_over_tls_with_a_password_of_the_sentinels_own(
    tmp_path: Path, certificate: dict[str, str]
) -> None:
    port, watching = free_port(), free_port()
    own = {"requirepass": "of-the-sentinel", "tls_port": str(watching)}
    watched = {**own, "sentinel auth-pass": f"{SERVICE} {PASSWORD}"}
    url = f"rediss+sentinel://:{PASSWORD}@127.0.0.1:{watching}/{SERVICE}/0"
    query = f"ssl_ca_certs={certificate['tls_ca_cert_file']}&sentinel_password=of-the-sentinel"
    with (
        redis_server(tmp_path / "primary", tcp=False, **certificate | {"tls_port": str(port)}),
        sentinel_server(
            tmp_path / "sentinel",
            SERVICE,
            port,
            binary=redis_binary(),
            tcp=False,
            quorum=1,
            **{**certificate, **watched},
        ),
        connect(f"{url}?{query}") as client,
    ):
        until(lambda: _found(client), "the Sentinel has found the primary")
        client.set("x", 1)
        assert client.get("x") == b"1"
        assert Durability.of(client).promotable() == 0
        found = {finding.name: finding.status for finding in check_set(client)}
        assert found == {"store: sentinels": "warning", "store: replicas": "warning"}
        with connect(f"{url}?{query.partition('&')[0]}") as other, pytest.raises(StoreUnavailable):
            _ping(other)


def _ping(client: redis.Redis) -> None:
    with store_errors(client):
        client.ping()


def _found(client: redis.Redis) -> bool:
    try:
        _ping(client)
    except StoreUnavailable:
        return False
    return True
