"""docker-compose.yml and Dockerfile, held to what they promise without a Docker engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from service.bootstrap import Core
from service.clinics import load_clinics
from service.mail.addresses import parse_listen
from service.settings import Settings, load_settings
from service.store import keys
from service.store.keyring import KeyRing
from service.store.server_check import check_server
from tests.fakes.mail_server import running_mail_server
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN, running_provider
from tests.support.compose import (
    PARTS,
    ROOT,
    SERVERS,
    Composition,
    compose_file,
    example_variables,
)
from tests.support.people import ANA
from tests.support.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES: dict[str, Any] = compose_file()["services"]
BUILT_IN = re.compile(r"AFTERVISIT_([A-Z_]+)")


@pytest.fixture
def composition(tmp_path: Path) -> Iterator[Composition]:
    composition = Composition(tmp_path, {})
    try:
        yield composition
    finally:
        composition.close()


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_confined(service: str) -> None:
    given = SERVICES[service]
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["restart"] == "unless-stopped"
    assert int(given["user"].partition(":")[0]) > 0
    assert given["healthcheck"]["test"]
    assert set(given["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("service", PARTS)
def test_each_part_waits_for_both_servers_and_gets_secrets_as_files(service: str) -> None:
    given = SERVICES[service]
    assert given["depends_on"] == {name: {"condition": "service_healthy"} for name in SERVERS}
    assert given["secrets"] == list(compose_file()["secrets"])


@pytest.mark.parametrize("service", [*SERVERS, "worker", "beat"])
def test_only_what_takes_requests_or_mail_can_be_reached_from_outside(service: str) -> None:
    assert "ports" not in SERVICES[service]


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for given in SERVICES.values() for port in given.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_store_and_broker_are_on_a_network_with_no_way_out() -> None:
    assert compose_file()["networks"]["inside"] == {"internal": True}
    assert [SERVICES[name]["networks"] for name in SERVERS] == [["inside"], ["inside"]]


def test_the_mail_catcher_and_the_listener_run_only_where_they_are_asked_for() -> None:
    profiles = {name: given["profiles"] for name, given in SERVICES.items() if "profiles" in given}
    assert profiles == {"mail": ["dev"], "returns": ["returns"]}


def test_the_listener_is_a_part_that_takes_mail_where_it_is_published() -> None:
    given = SERVICES["returns"]
    assert given["command"] == ["mail"]
    at = parse_listen(given["environment"]["AFTERVISIT_MAIL_LISTEN"])
    assert given["ports"] == [f"127.0.0.1:{at.port}:{at.port}"]
    assert given["secrets"] == list(compose_file()["secrets"])


def test_each_variable_and_each_secret_is_a_setting() -> None:
    variables = set(example_variables())
    for service in PARTS:
        variables |= set(SERVICES[service]["environment"])
    variables |= {name.upper() for name in compose_file()["secrets"]}
    named = {found[1].lower() for name in variables if (found := BUILT_IN.fullmatch(name))}
    assert len(named) == len(variables)
    assert named <= set(Settings.model_fields)


def test_the_secret_files_are_read_as_settings(tmp_path: Path) -> None:
    for name in compose_file()["secrets"]:
        (tmp_path / name).write_text(f"made-up {name}\n", encoding="utf-8")
    settings = Settings(_secrets_dir=tmp_path)  # type: ignore[call-arg]
    assert settings.smtp_url is not None
    assert settings.smtp_url.get_secret_value() == "made-up aftervisit_smtp_url"
    assert settings.twilio_auth_token is not None
    assert settings.secret_keys is not None


def test_the_command_that_makes_a_key_ring_makes_one() -> None:
    how_to = (ROOT / "docs/how-to/run-with-compose.md").read_text("utf-8")
    found = re.search(r"^ *(printf .*) > var/compose/secrets/secret_keys$", how_to, re.MULTILINE)
    assert found
    made = subprocess.run(
        ["/bin/sh", "-c", found[1]], capture_output=True, text=True, timeout=10, check=True
    )
    assert KeyRing.parse(made.stdout).ids == ("k1",)


def test_the_example_of_a_clinics_file_is_one() -> None:
    assert list(load_clinics(ROOT / "docs/how-to/compose/clinics.toml")) == ["riverside"]


def test_the_store_as_composed_passes_every_check_of_a_store(composition: Composition) -> None:
    composition.start_server("store")
    with redis.Redis(port=composition.ports["store"], protocol=2) as client:
        until(lambda: _answers(client), "the store answers")
        assert {finding.status for finding in check_server(client)} == {"ok"}
        assert client.config_get("hash-max-listpack-value") == {"hash-max-listpack-value": "1024"}


def test_the_broker_as_composed_keeps_nothing_on_disk(composition: Composition) -> None:
    composition.start_server("broker")
    with redis.Redis(port=composition.ports["broker"], protocol=2) as client:
        until(lambda: _answers(client), "the broker answers")
        assert client.config_get("appendonly", "save", "maxmemory-policy") == {
            "appendonly": "no",
            "save": "",
            "maxmemory-policy": "noeviction",
        }


def test_the_parts_as_composed_become_healthy_send_and_stop_in_order(tmp_path: Path) -> None:
    with (
        running_provider(tmp_path) as provider,
        running_mail_server(tmp_path) as mail,
    ):
        far_ends = {
            "AFTERVISIT_SECRET_KEYS": KeyRing.generate().text(),
            "AFTERVISIT_TWILIO_ACCOUNT_SID": ACCOUNT,
            "AFTERVISIT_TWILIO_AUTH_TOKEN": TOKEN,
            "AFTERVISIT_TWILIO_FROM": SENDER,
            "AFTERVISIT_TWILIO_API_BASE_URL": provider.url,
            "AFTERVISIT_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        }
        composition = Composition(tmp_path, far_ends)
        try:
            _run(composition)
            _enrol(composition)
            until(lambda: len(provider.accepted()) == 1, "the welcome text arrives", limit_s=60)
            _stop(composition)
        finally:
            composition.close()


def _run(composition: Composition) -> None:
    """Start everything in the order of ``depends_on``; each part turns healthy only by running."""
    for server in SERVERS:
        composition.start_server(server)
        with redis.Redis(port=composition.ports[server]) as client:
            until(lambda client=client: _answers(client), f"{server} answers")  # type: ignore[misc]
    composition.work.mkdir()
    for part in PARTS:
        assert not composition.healthy(part), f"{part} is called healthy before it runs"
        composition.start(part)
    for part in PARTS:
        until(
            lambda part=part: composition.healthy(part),  # type: ignore[misc]
            f"{part} is healthy; it says {composition.log(part)[-2000:]}",
            limit_s=60,
        )


def _stop(composition: Composition) -> None:
    """Each part ends by SIGTERM, is then unhealthy, and has left nothing behind."""
    for part in PARTS:
        grace = SERVICES[part].get("stop_grace_period", "10s").removesuffix("s")
        assert composition.stop(part, float(grace)) in {0, -15}, composition.log(part)[-2000:]
    assert not composition.healthy("web")
    assert not composition.healthy("worker")
    with redis.Redis(port=composition.ports["store"]) as client:
        client.decrby(keys.LAST_TICK, 20_000)  # rather than wait for it to grow old
    assert not composition.healthy("beat")
    assert list(composition.work.iterdir()) == []


def _enrol(composition: Composition) -> None:
    """One patient, for whom it is the middle of the day whenever this test runs."""
    variables = composition.environment("worker")
    settings = load_settings(
        **{
            name.removeprefix("AFTERVISIT_").lower(): value
            for name, value in variables.items()
            if name.startswith("AFTERVISIT_")
        }
    )
    ahead = 13 - datetime.now(UTC).hour
    core = Core(settings, variables["AFTERVISIT_REDIS_URL"])
    try:
        form = replace(ANA, timezone=f"Etc/GMT{-ahead:+d}" if ahead else "UTC")
        core.enrolment.enrol(form, source="test")
    finally:
        core.close()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_runs_as_nobody_special() -> None:
    final = _instructions()
    final = final[max(i for i, (word, _) in enumerate(final) if word == "FROM") :]
    assert ("ENTRYPOINT", '["aftervisit"]') in final
    assert [rest for word, rest in final if word == "USER"] == [SERVICES["web"]["user"]]
    assert not any("apt-get" in rest or "pip" in rest for _, rest in final)


def test_the_image_installs_only_what_the_lock_files_name_by_hash() -> None:
    installs = [
        part
        for word, rest in _instructions()
        if word == "RUN"
        for part in rest.split("&&")
        if " install " in part
    ]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--offline" in install


def test_whatever_the_image_copies_is_let_through_by_the_dockerignore() -> None:
    copied = {
        source
        for word, rest in _instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert copied == {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)


def test_the_installed_package_holds_every_file_of_the_checkout(tmp_path: Path) -> None:
    here = Path(sys.executable).with_name("uv")
    uv = str(here) if here.exists() else shutil.which("uv")
    assert uv, "make lint installs uv"
    for name in ("messages", "schedules", "service"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / "source" / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--offline", "--out-dir", tmp_path],
        cwd=tmp_path / "source",
        timeout=60,
        check=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name and name[-1] != "/"}
    source = tmp_path / "source"
    packages = [path for path in source.rglob("*") if path.is_file() and path.parent != source]
    assert held == {path.relative_to(source).as_posix() for path in packages}
