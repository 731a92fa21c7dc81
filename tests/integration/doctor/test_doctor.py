from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from service.clock import SystemClock
from service.doctor.diagnose import diagnose
from service.settings import load_settings
from service.store.connection import connect
from service.store.embedded import embedded
from service.store.installation import open_clock, open_installation
from service.store.keyfile import load_key_ring
from service.store.keyring import KeyRing
from tests.support.servers import (
    data_dir_for_embedded,
    embedded_servers,
    free_port,
    redis_server,
    valkey_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.findings import Finding

SID, SERVICE, TOKEN = "AC" + "0" * 32, "MG" + "0" * 32, "f" * 32
LOOPBACK = "http://127.0.0.1:1"
CLINICS = """
[[clinic]]
id = "one"
name = "One Clinic"
phone = "(503) 555-0142"
postal_address = "12 Harbor Street, Portland"
alert_emails = ["desk@aftervisit-clinic.org"]
"""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "BROKER_URL", "SECRET_KEYS", "CLINICS", "SMTP_URL", "CLOCK"):
        monkeypatch.delenv(f"AFTERVISIT_{name}", raising=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    with data_dir_for_embedded(tmp_path / "var") as directory:
        yield directory


@pytest.fixture
def clinics(tmp_path: Path) -> Path:
    path = tmp_path / "clinics.toml"
    path.write_text(CLINICS)
    return path


def findings(data_dir: Path, *, connect: bool = False, **settings: Any) -> dict[str, Finding]:  # noqa: ANN401
    return {
        finding.name: finding
        for finding in diagnose(load_settings(data_dir=data_dir, **settings), connect=connect)
    }


def problems(found: dict[str, Finding]) -> list[str]:
    return [name for name, finding in found.items() if finding.status == "problem"]


# --- this machine and its store


def test_a_fresh_machine_has_no_problem_and_is_left_untouched(data_dir: Path) -> None:
    found = findings(data_dir)
    assert problems(found) == []
    assert "valkey" in found["store"].detail.lower()
    assert not data_dir.exists()


def test_every_problem_and_warning_says_what_to_do(data_dir: Path) -> None:
    found = findings(
        data_dir,
        redis_url="redis://127.0.0.1:1",
        twilio_account_sid="wrong",
        twilio_auth_token=TOKEN,
        smtp_url="smtp://mail.example.org",
        public_url="http://example.org",
    )
    assert len(problems(found)) >= 6
    assert all(f.remedy for f in found.values() if f.status != "ok")
    assert not any(f.remedy for f in found.values() if f.status == "ok")


def test_an_installation_that_was_begun_is_opened_with_its_keys(data_dir: Path) -> None:
    settings = load_settings(data_dir=data_dir)
    with embedded(data_dir, hold=False) as url, connect(url) as client:
        open_installation(client, load_key_ring(settings), 64)
    found = findings(data_dir)
    assert problems(found) == []
    assert found["installation"].detail == "Our keys open the store's record."
    assert found["broker"].status == "ok"
    assert embedded_servers(data_dir) == []


@pytest.mark.parametrize("fault", ["lost", "other", "same id", "open to others"])
def test_keys_that_do_not_belong_to_the_store_are_found(data_dir: Path, fault: str) -> None:
    settings = load_settings(data_dir=data_dir)
    with embedded(data_dir, hold=False) as url, connect(url) as client:
        open_installation(client, load_key_ring(settings), 64)
    file = data_dir / "secret_keys"
    if fault == "lost":
        file.unlink()
    elif fault == "other":
        file.write_text(KeyRing.generate().text())
    elif fault == "same id":
        key_id, other = file.read_text().split(":")[0], KeyRing.generate().text().split(":")[1]
        file.write_text(f"{key_id}:{other}")
    else:
        file.chmod(0o644)
    found = findings(data_dir)
    assert "installation" in problems(found)
    assert found["installation"].remedy
    assert ("keys" in problems(found)) == (fault in {"lost", "open to others"})
    assert not (fault == "lost" and file.exists())


def test_no_secret_is_shown(data_dir: Path, clinics: Path) -> None:
    ring = KeyRing.generate()
    secret = "hunter2-hunter2"
    found = findings(
        data_dir,
        connect=True,
        redis_url=f"redis://user:{secret}@127.0.0.1:1/0",
        broker_url=f"amqp://user:{secret}@127.0.0.1:1//",
        secret_keys=ring.text(),
        twilio_account_sid=SID,
        twilio_auth_token=secret,
        smtp_url=f"smtp://user:{secret}@127.0.0.1:1",
        clinics=clinics,
    )
    shown = repr(found)
    assert secret not in shown
    assert ring.text().split(":")[1] not in shown
    assert {"store", "broker", "mail server: connection"} <= set(problems(found))


def test_a_store_that_is_not_fit_is_reported(tmp_path: Path, data_dir: Path) -> None:
    with redis_server(tmp_path / "r", maxmemory_policy="allkeys-lru") as server:
        assert problems(findings(data_dir, redis_url=server.url)) == ["store: eviction"]


def test_a_store_that_packs_no_records_is_warned_of(tmp_path: Path, data_dir: Path) -> None:
    with redis_server(tmp_path / "r", hash_max_listpack_value="64") as server:
        found = findings(data_dir, redis_url=server.url)["store: packing"]
        assert found.status == "warning"
        assert "hash-max-listpack-value 1024" in str(found.remedy)
        server.client().config_set("hash-max-listpack-value", 1024)
        found = findings(data_dir, redis_url=server.url)["store: packing"]
        assert found.status == "ok"


def test_a_url_that_is_none_is_reported(data_dir: Path) -> None:
    found = findings(data_dir, redis_url="http://x", broker_url="nonsense://x")
    assert problems(found) == ["store", "broker"]


def test_clocks_that_are_apart_are_reported(tmp_path: Path, data_dir: Path) -> None:
    class Ahead(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() + 3000

    with valkey_server(tmp_path / "v") as server:
        settings = load_settings(data_dir=data_dir, redis_url=server.url)
        apart = {f.name: f.status for f in diagnose(settings, clock=Ahead())}
        assert apart["store clock"] == "problem"
        assert problems(findings(data_dir, redis_url=server.url)) == []


def test_a_machine_clock_that_was_never_set_is_reported(data_dir: Path) -> None:
    class Unset(SystemClock):
        def now_ms(self) -> int:
            return 86_400_000

    found = {f.name: f.status for f in diagnose(load_settings(data_dir=data_dir), clock=Unset())}
    assert found["machine clock"] == "problem"


def test_a_fast_clock_is_a_warning_and_its_store_stays_one(tmp_path: Path, data_dir: Path) -> None:
    with valkey_server(tmp_path / "v") as server, connect(server.url) as client:
        fast = load_settings(data_dir=data_dir, clock="fast:60")
        open_clock(client, fast.clock_setting)
        found = findings(data_dir, redis_url=server.url, clock="fast:60")
        assert found["business clock"].status == "warning"
        assert problems(found) == []
        assert problems(findings(data_dir, redis_url=server.url)) == ["store's business clock"]


@pytest.mark.parametrize(
    ("mode", "status"), [(0o700, "ok"), (0o755, "warning"), (0o777, "problem")]
)
def test_a_data_directory_is_to_be_ours_alone(data_dir: Path, mode: int, status: str) -> None:
    data_dir.mkdir()
    data_dir.chmod(mode)
    assert findings(data_dir)["data directory"].status == status


def test_a_data_directory_that_is_a_file_is_reported(data_dir: Path) -> None:
    data_dir.touch()
    assert "data directory" in problems(findings(data_dir))


# --- what sends


def test_a_real_set_up_in_order_has_no_problem(data_dir: Path, clinics: Path) -> None:
    found = findings(
        data_dir,
        twilio_account_sid=SID,
        twilio_auth_token=TOKEN,
        twilio_from="+15035550142",
        smtp_url="smtp://user:pass@mail.example.org:587?starttls=required",
        mail_from="One Clinic <care@aftervisit-clinic.org>",
        public_url="https://drip.example.org",
        return_address="bounces@mail.aftervisit-clinic.org",
        clinics=clinics,
    )
    assert [f for f in found.values() if f.status != "ok"] == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"twilio_account_sid": SID}, "twilio"),
        ({"twilio_auth_token": TOKEN}, "twilio"),
        ({"twilio_from": "+15035550142"}, "twilio"),
        ({"twilio_account_sid": SID.lower(), "twilio_auth_token": TOKEN}, "twilio"),
        ({"twilio_account_sid": SID, "twilio_auth_token": TOKEN}, "twilio: sender"),
        (
            {"twilio_account_sid": SID, "twilio_auth_token": TOKEN, "twilio_from": "503 555 0142"},
            "twilio: sender",
        ),
        (
            {
                "twilio_account_sid": SID,
                "twilio_auth_token": TOKEN,
                "twilio_messaging_service_sid": SID,
            },
            "twilio: sender",
        ),
        (
            {
                "twilio_account_sid": SID,
                "twilio_auth_token": TOKEN,
                "twilio_api_base_url": "http://relay.example.org",
            },
            "twilio: address",
        ),
        ({"twilio_account_sid": SID, "twilio_auth_token": TOKEN}, "public address"),
        ({"smtp_url": "smtp://mail.example.org"}, "mail server"),
        ({"smtp_url": "smtp://mail.example.org:99999"}, "mail server"),
        ({"smtp_url": "http://mail.example.org"}, "mail server"),
        ({"smtp_url": "smtps://mail.example.org"}, "mail sender"),
        ({"smtp_url": "smtps://mail.example.org", "mail_from": "Clinic"}, "mail sender"),
        ({"smtp_url": "smtps://mail.example.org"}, "clinics"),
        ({"smtp_url": "smtps://m.example.org", "public_url": "http://x.org"}, "public address"),
        (
            {"smtp_url": "smtps://m.example.org", "public_url": "https://localhost"},
            "public address",
        ),
    ],
)
def test_a_fault_in_what_sends_is_reported(
    data_dir: Path, settings: dict[str, Any], name: str
) -> None:
    assert name in problems(findings(data_dir, **settings))


def test_loopback_carriers_need_neither_clinics_nor_a_public_address(data_dir: Path) -> None:
    found = findings(
        data_dir,
        twilio_account_sid=SID,
        twilio_auth_token=TOKEN,
        twilio_messaging_service_sid=SERVICE,
        twilio_api_base_url=LOOPBACK,
        smtp_url="smtp://127.0.0.1:2525",
        mail_from="care@aftervisit-clinic.org",
    )
    assert problems(found) == []


def test_a_clinics_file_with_a_fault_is_reported(data_dir: Path, clinics: Path) -> None:
    clinics.write_text("[[clinic]]\nid = 'one'\n")
    assert "clinics" in problems(findings(data_dir, clinics=clinics))


def test_a_clinic_that_nobody_alerts_for_is_warned_of(data_dir: Path, clinics: Path) -> None:
    clinics.write_text(CLINICS.replace("alert_emails", "# "))
    found = findings(data_dir, clinics=clinics)["alerts"]
    assert (found.status, "one" in found.detail) == ("warning", True)


def test_the_mail_server_is_greeted_only_when_asked(data_dir: Path) -> None:
    settings: dict[str, Any] = {"mail_from": "care@aftervisit-clinic.org"}
    closed = f"smtp://127.0.0.1:{free_port()}"
    assert problems(findings(data_dir, smtp_url=closed, **settings)) == []
    assert problems(findings(data_dir, connect=True, smtp_url=closed, **settings)) == [
        "mail server: connection"
    ]
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        url = f"smtp://127.0.0.1:{controller.port}"
        found = findings(data_dir, connect=True, smtp_url=url, **settings)
        assert found["mail server: connection"].status == "ok"
        found = findings(data_dir, connect=True, smtp_url=f"{url}?starttls=required", **settings)
        assert problems(found) == ["mail server: connection"]
    finally:
        controller.stop()


REAL_MAIL: dict[str, Any] = {
    "smtp_url": "smtps://mail.example.org",
    "mail_from": "care@aftervisit-clinic.org",
    "public_url": "https://drip.example.org",
}


def test_mail_that_nobody_would_see_come_back_is_warned_of(data_dir: Path, clinics: Path) -> None:
    name = "mail that comes back"
    real = REAL_MAIL | {"clinics": clinics}
    assert findings(data_dir, **real)[name].status == "warning"
    elsewhere = findings(data_dir, **real, return_address="bounces@relay.example.com")[name]
    assert elsewhere.status == "warning"
    assert "SPF" in elsewhere.detail
    own = findings(data_dir, **real, return_address="bounces@mail.aftervisit-clinic.org")[name]
    assert own.status == "ok"


def test_answers_that_nobody_would_read_are_reported(data_dir: Path, clinics: Path) -> None:
    clinics.write_text(f'{CLINICS}email_replies = "inbox"\n')
    real = REAL_MAIL | {"clinics": clinics}
    assert "mail that comes back: answers" in problems(findings(data_dir, **real))
    found = findings(data_dir, **real, return_address="bounces@mail.aftervisit-clinic.org")
    assert problems(found) == []


def test_the_listener_is_greeted_only_when_asked(data_dir: Path) -> None:
    name = "mail that comes back: listener"
    settings: dict[str, Any] = {"return_address": "bounces@mail.aftervisit-clinic.org"}
    closed = f"lmtp://127.0.0.1:{free_port()}"
    assert problems(findings(data_dir, mail_listen=closed, **settings)) == []
    assert problems(findings(data_dir, connect=True, mail_listen=closed, **settings)) == [name]
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        at = f"smtp://0.0.0.0:{controller.port}"
        found = findings(data_dir, connect=True, mail_listen=at, **settings)
        assert found[name].status == "ok"
    finally:
        controller.stop()
