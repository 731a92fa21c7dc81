"""The keys change under load, and a key is lost: nothing fails, or nothing is done."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from service.bootstrap import Core
from service.dispatch.compose import UNSUBSCRIBE
from service.inbox.receive import InboundText
from service.keys.rotation import DAY_MS, LINKS_DAYS, StillNeeded
from service.settings import load_settings
from service.store.installation import KEY_SINCE
from service.store.keyfile import add_key, read_keys_file, remove_key
from service.store.keyring import KEYS_FILE, KeyMissing, KeyRing
from service.store.keys import INSTALLATION
from tests.fakes.provider import SENDER
from tests.integration.faults.nights import NOON, arrived, nightly
from tests.integration.faults.patience import PATIENCE_S, TEST_S, eventually
from tests.support.servers import Server, valkey_server
from tests.support.system import COMMAND, System, phone, running_system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(TEST_S)


def keys(system: System, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 - as JSON has it
    """Run ``aftervisit keys``; what it answers in JSON."""
    ended = subprocess.run(
        [str(COMMAND), "keys", *arguments, "--json"],
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    return json.loads(ended.stdout)


def test_keys_are_rotated_while_workers_send_and_nothing_fails(tmp_path: Path) -> None:
    with nightly(tmp_path, "worker", "beat", factor=200_000) as (system, receipts):
        eventually(lambda: len(arrived(system)) > 10, "they are at work")
        old = system.core.keyring.current
        added = keys(system, "rotate")["added"]
        rotated = keys(system, "rotate", "--finish")
        assert rotated == {"in_use": added, "moved": rotated["moved"], "unreadable": {}}
        assert not system.ended(receipts[0]), "they are still at work"
        system.enrol(90, series="sleep-hygiene")
        text = InboundText("SM" + "4" * 32, phone(90), SENDER, "My legs feel better")
        system.core.inbox.receive(text)
        report = system.core.rotation.report()
        assert (report.in_use, set(report.values), report.ring) == (added, {added}, (added, old))
        system.start("worker")
    assert "not_configured" not in system.log("worker")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """An installation with one patient and no process but the test."""
    with running_system(tmp_path, clock=f"fast:1@{NOON}", processes=(), PARTITIONS="2") as running:
        running.enrol(1)
        yield running


def use_a_new_key(system: System) -> tuple[str, str]:
    """The old key's id and the new one's, which encrypts from now on."""
    ring = system.core.keyring
    old = ring.current
    ring.take_over(add_key(system.directory / "data"))
    return old, system.core.rotation.use_newest()


def test_every_process_reads_and_follows_a_new_key_without_a_restart(system: System) -> None:
    link = system.core.keyring.seal_token(UNSUBSCRIBE, b"digest")
    other = Core(system.settings, system.store.url)
    try:
        _, new = use_a_new_key(system)
        patient = system.enrol(2).patient
        contact = other.patients.contact(other.patients.load(patient))
        assert contact.phone == phone(2)
        assert other.keyring.current != new, "it has not been asked to encrypt anything yet"
        other.keyring.follow()
        assert other.keyring.current == new
        assert other.keyring.open_token(UNSUBSCRIBE, link) == b"digest", "links go on working"
        digest = system.core.suppressions.digest("sms", phone(1))
        assert other.suppressions.digest("sms", phone(1)) == digest
        assert other.suppressions.patients(digest), "and everybody is found"
    finally:
        other.close()


def test_a_rotation_that_was_cut_off_goes_on_where_it_was(system: System) -> None:
    for number in range(2, 260):
        system.enrol(number, email="", email_consent="")
    old, new = use_a_new_key(system)

    def cut_off(_moved: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        system.core.rotation.finish(cut_off)
    between = system.core.rotation.report().values
    assert between[old] > 0
    assert between[new] > 1
    moved = system.core.rotation.finish().moved
    assert moved == between[old]
    assert set(system.core.rotation.report().values) == {new}
    assert system.core.rotation.finish().moved == 0


def test_a_key_is_retired_only_when_nothing_needs_it(system: System) -> None:
    data, rotation = system.directory / "data", system.core.rotation
    old, new = use_a_new_key(system)
    with pytest.raises(StillNeeded, match="values are still under"):
        rotation.require_idle(old)
    rotation.finish()
    with pytest.raises(StillNeeded, match="Links"):
        rotation.require_idle(old)
    with pytest.raises(StillNeeded, match="in use"):
        rotation.require_idle(new)
    long_ago = system.core.machine.now_ms() - LINKS_DAYS * DAY_MS
    system.core.client.hset(INSTALLATION, KEY_SINCE, long_ago)
    assert keys(system, "retire", old) == {"retired": old, "removed": True}
    assert read_keys_file(data / KEYS_FILE).ids == (new,)
    core = Core(system.settings, system.store.url)
    try:
        identifier = next(core.patients.identifiers())
        assert core.patients.contact(core.patients.load(identifier)).phone == phone(1)
    finally:
        core.close()


def test_without_the_old_key_nothing_starts_and_its_name_is_told(system: System) -> None:
    old, _ = use_a_new_key(system)
    remove_key(system.directory / "data", old)
    worker = system.start("worker")
    assert worker.wait(PATIENCE_S) == 1
    assert f"The key '{old}' is not in the key ring" in system.log("worker")
    assert arrived(system).total() == 0


def test_what_a_lost_key_encrypted_is_held_and_kept_and_the_rest_flows(system: System) -> None:
    data = system.directory / "data"
    old, new = use_a_new_key(system)
    kept = (data / KEYS_FILE).read_text()
    system.core.rotation._values.rewrap_index_key()
    readable = system.enrol(2)
    remove_key(data, old)
    system.start("worker")
    system.start("beat")
    eventually(lambda: system.core.patients.history(readable.patient), "the rest flows")
    eventually(lambda: f"The key '{old}'" in system.log("worker"), "the missing key is named")
    assert {text["to"] for text in system.provider.accepted()} == {phone(2)}
    report = keys(system, "status", status=1)
    assert report["missing"] == [old]
    rotated = keys(system, "rotate", "--finish", status=1)
    assert rotated["unreadable"] == {old: report["values"][old]}
    assert keys(system, "status", status=1)["values"] == report["values"], "it was left as it was"
    (data / KEYS_FILE).write_text(kept)
    assert keys(system, "rotate", "--finish")["unreadable"] == {}
    assert set(keys(system, "status")["values"]) == {new}


def test_a_ring_from_a_setting_is_told_and_used_only_once_every_part_has_it(
    tmp_path: Path,
) -> None:
    first = KeyRing.generate()
    with running_system(
        tmp_path, clock=f"fast:1@{NOON}", processes=(), SECRET_KEYS=first.text()
    ) as system:
        patient = system.enrol(1).patient
        told = keys(system, "rotate")
        ring = KeyRing.parse(told["secret_keys"])
        assert ring.ids[1:] == first.ids
        assert keys(system, "status")["in_use"] == first.current
        system.environment["AFTERVISIT_SECRET_KEYS"] = told["secret_keys"]
        assert keys(system, "rotate", "--finish")["in_use"] == ring.ids[0]
        # A part that was not restarted with it neither reads nor writes anything.
        with pytest.raises(KeyMissing):
            system.core.patients.contact(system.core.patients.load(patient))
        with pytest.raises(KeyMissing):
            system.core.keyring.follow()


def test_a_store_of_the_release_before_keys_could_be_rotated_says_which_key_encrypts(
    tmp_path: Path,
) -> None:
    server: Server
    with valkey_server(tmp_path / "store") as server:
        settings = load_settings(
            redis_url=server.url, data_dir=tmp_path, clock=f"fast:1@{NOON}", partitions=1
        )
        Core(settings, server.url).close()
        with server.client() as client:
            client.hdel(INSTALLATION, "key")
        core = Core(settings, server.url)
        try:
            assert core.rotation.report().in_use == core.keyring.ids[0]
        finally:
            core.close()
