"""What is held of one patient: changed, handed over, erased."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from schedules.check_ins import Trend
from service.clock import from_ms
from service.store.check_ins import CheckIn
from service.store.keys import PartitionKeys, partition_of
from service.store.scripts import as_text
from tests.integration.cli.conftest import Shell
from tests.integration.cli.test_patients_commands import MAIL, enrol

PHONE, MAILBOX = "+15035550142", "ana@example.org"


def everything(shell: Shell) -> dict[str, object]:
    """All that the store holds, of every type, as it can be read without a key."""
    found: dict[str, object] = {}
    with shell.core() as core:
        for name in core.client.scan_iter():
            kind = as_text(core.client.type(name))
            read: dict[str, Callable[[str], object]] = {
                "hash": core.client.hgetall,
                "list": lambda key: core.client.lrange(key, 0, -1),
                "zset": lambda key: core.client.zrange(key, 0, -1),
                "stream": core.client.xrange,
                "string": core.client.get,
            }
            found[as_text(name)] = read[kind](as_text(name))
    return found


def deliveries(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in told if entry["kind"] == "delivery"]


def test_a_change_is_shown_and_told_once(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    change = ("patients", "change", patient, "--timezone", "America/New_York", "--prefers", "email")
    assert shell(*change, "--json").answer["changed"] == ["timezone", "state", "prefers"]
    assert shell(*change, "--json").answer["changed"] == []
    shown = shell("patients", "export", patient).answer
    assert (shown["timezone"], shown["state"], shown["prefers"]) == (
        "America/New_York",
        None,
        "email",
    )
    lines = deliveries(shell("explain", patient, "--json").answer)
    assert {line["channel"] for line in lines} == {"email"}
    assert {line["due"][-6:] for line in lines} <= {"-05:00", "-04:00"}


def test_what_cannot_be_used_changes_nothing(shell: Shell) -> None:
    patient = enrol(shell)
    before = shell("patients", "export", patient).answer
    for option, value in (
        ("--timezone", "Mars/Olympus"),
        ("--bedtime", "half past"),
        ("--language", "tlh"),
        ("--prefers", "email"),
        ("--prefers", "pigeon"),
    ):
        assert shell("patients", "change", patient, option, value).failed(2)
    after = shell("patients", "export", patient).answer
    assert {**after, "exported": ""} == {**before, "exported": ""}


def test_a_pause_until_a_day_is_told_and_a_day_gone_by_is_refused(shell: Shell) -> None:
    patient = enrol(shell)
    assert "after today" in shell("patients", "pause", patient, "--until", "2020-01-01").failed(2)
    assert "year-month-day" in shell("patients", "pause", patient, "--until", "June").failed(2)
    with shell.core() as core:
        day = from_ms(core.business.now_ms()).date() + timedelta(days=30)
    assert shell("patients", "pause", patient, "--until", str(day), "--json").answer["paused"]
    (held,) = shell("patients", "export", patient).answer["subscriptions"]
    assert held["paused_until"][:10] == str(day), "seven or eight hours after midnight, in UTC"
    lines = deliveries(shell("explain", patient, "--json").answer)
    assert {line["reason"] for line in lines} == {"paused_until"}


def test_the_export_holds_all_that_is_known_and_can_be_read_by_programs(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    held = shell("patients", "export", patient).answer
    assert (held["given_name"], held["phone"], held["email"]) == ("Ana", PHONE, MAILBOX)
    assert {consent["channel"] for consent in held["consents"]} == {"sms", "email"}
    assert {line["outcome"] for line in held["messages"]} == {"planned"}
    assert held["subscriptions"][0]["subscription"] == f"{patient}.1"


def test_erasing_leaves_nothing_that_tells_who_it_was(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    with shell.core() as core:
        digest = core.suppressions.digest("email", MAILBOX)
        core.suppressions.suppress("email", digest, reason="one_click", source="test")
        rated = CheckIn("r1", "sleep-check", 4, 1_772_470_800_000)
        core.check_ins.record(patient, rated, Trend.SAME)
    assert shell("patients", "export", patient).answer["check_ins"][0]["rating"] == 4
    answer = shell("patients", "erase", patient, "--yes", "--json").answer
    assert answer == {"patient": patient, "ended": [f"{patient}.1"], "consents_kept": 2}
    left = everything(shell)
    keys = PartitionKeys(partition_of(patient))
    assert set(left[keys.patient(patient)]) == {b"z"}  # type: ignore[call-overload]
    naming = [name for name, value in left.items() if patient in name or patient in str(value)]
    assert set(naming) == {keys.patient(patient), keys.consents(patient), keys.audit}
    with shell.core() as core:
        for consent in core.patients.consents(patient):
            assert set(consent) == {"channel", "method", "wording", "at"}
    assert shell("patients", "show", patient).failed(1)
    assert shell("patients", "export", patient).failed(1)
    assert shell("patients", "erase", patient, "--yes").failed(1)


def test_an_opt_out_outlives_the_patient(shell: Shell) -> None:
    patient = enrol(shell)
    shell("patients", "stop", patient)
    shell("patients", "erase", patient, "--yes")
    again = enrol(shell)
    assert again != patient, "the id of somebody who was erased is theirs"
    assert shell("patients", "show", again, "--json").answer["suppressed"] == {"sms": "staff"}
    with shell.core() as core:
        assert core.suppressions.patients(core.suppressions.digest("sms", PHONE)) == (again,)


def test_whoever_shares_the_phone_keeps_their_messages(shell: Shell) -> None:
    ana, ben = enrol(shell), enrol(shell, name="Ben")
    shell("patients", "erase", ana, "--yes")
    shown = shell("patients", "show", ben, "--json").answer
    assert shown["reachable"] == ["sms"]
    assert shell("patients", "stop", ben, "--json").answer["sharing"] == {}


def test_nobody_is_erased_without_being_asked(shell: Shell) -> None:
    patient = enrol(shell)
    assert "--yes" in shell("patients", "erase", patient).failed(2)
    assert shell("patients", "show", patient, "--json").answer["given_name"] == "Ana"


def test_an_erasure_is_audited_without_patient_data(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    shell("patients", "erase", patient, "--yes")
    with shell.core() as core:
        rows = core.client.xrange(PartitionKeys(partition_of(patient)).audit)
    last = {as_text(k): as_text(v) for k, v in ((rows or [])[-1][1] or {}).items()}
    assert (last["what"], last["on"]) == ("erased", patient)
    assert last["by"].startswith("cli")
    assert not any(secret in json.dumps(last) for secret in ("Ana", PHONE, MAILBOX))
