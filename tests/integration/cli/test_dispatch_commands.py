"""`aftervisit dispatch`, on a store that a worker has left in some state."""

from __future__ import annotations

import pytest

from schedules.delivery import State
from service.dispatch.prepare import entry_of, onwards
from service.dispatch.standing import profile_of
from service.doctor.diagnose import diagnose
from service.settings import load_settings
from service.store.installation import StoredClock
from service.store.keys import LAST_TICK, partition_of
from tests.integration.cli.conftest import Shell
from tests.support.people import ANA

SENDER, MAIL = "+15005550006", "tips@clinic.example"
SETTINGS = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_FROM": SENDER,
    "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
    "SMTP_URL": "smtp://127.0.0.1:9",
    "MAIL_FROM": f"Clinic <{MAIL}>",
    "PARTITIONS": "2",
    "CLOCK": "fast:1@2026-03-02T20:00:00",
}


@pytest.fixture(autouse=True)
def settings(shell: Shell) -> None:
    shell.set(**SETTINGS)


def stop(shell: Shell) -> None:
    with shell.core() as core:
        now_ms = core.machine.now_ms()
        core.stores.rates.take(SENDER, 3, 10)
        core.stores.rates.stop(
            SENDER, begun_ms=now_ms, code="20003", reason="Bad credentials.", proof="answer"
        )


def test_a_stopped_sender_is_listed_found_by_doctor_and_resumed_once(shell: Shell) -> None:
    stop(shell)
    text, mail = shell("dispatch", "senders", "--json").answer
    assert (text["sender"], text["standing"], text["code"]) == (SENDER, "stopped", "20003")
    assert text["next_try"] > text["since"]
    assert text["today"] == 3
    assert (mail["sender"], mail["standing"], mail["since"]) == (MAIL, "open", None)
    assert "stopped since" in shell("dispatch", "senders").out
    (finding,) = [f for f in diagnose(load_settings()) if f.name == "senders"]
    assert finding.status == "warning"
    assert f"dispatch resume {SENDER}" in (finding.remedy or "")

    assert shell("dispatch", "resume", SENDER, "--json").answer == {
        "sender": SENDER,
        "resumed": True,
    }
    assert "was not stopped" in shell("dispatch", "resume", SENDER).out
    assert shell("dispatch", "senders", "--json").answer[0]["standing"] == "open"
    (finding,) = [f for f in diagnose(load_settings()) if f.name == "senders"]
    assert finding.status == "ok"
    with shell.core() as core:
        entries = core.client.xrange("{p0}:audit") or []
        assert next(fields[b"what"] for _, fields in entries if fields) == b"sender_resumed"


def test_a_sender_that_is_none_of_ours_is_refused_with_those_that_are(shell: Shell) -> None:
    ran = shell("dispatch", "resume", "+15005550009")
    assert ran.code == 2
    assert SENDER in ran.err
    assert MAIL in ran.err


def failed(shell: Shell) -> str:
    """A patient whose first text was refused; the delivery."""
    with shell.core() as core:
        patient = core.enrolment.enrol(ANA, source="test").patient
        partition, now_ms = partition_of(patient), core.business.now_ms()
        (claimed,) = core.dispatch_store.claim(partition, now_ms, 1, 2**52)
        profile = profile_of(core.patients.contact(claimed.fields), frozenset({"sms"}))
        entry = entry_of(claimed.subscription, profile, State.FAILED, "refused", now_ms)
        assert core.dispatch_store.conclude([onwards(claimed, entry, now_ms)]) == [True]
    return f"{patient}.1.0"


def test_a_dead_letter_is_listed_and_tried_again_once(shell: Shell) -> None:
    delivery = failed(shell)
    (letter,) = shell("dispatch", "dead-letters", "--json").answer
    assert (letter["delivery"], letter["state"], letter["reason"]) == (
        delivery,
        "failed",
        "refused",
    )
    assert letter["at"] == "2026-03-02T20:00:00Z"
    assert delivery in shell("dispatch", "dead-letters").out.replace("\n", "")
    asked = shell("dispatch", "retry", delivery, "--json")
    assert (asked.code, asked.answer[0]["outcome"]) == (0, "retried")
    assert shell("dispatch", "retry", delivery, "--json").answer[0]["outcome"] == "pending"
    assert shell("dispatch", "dead-letters", "--json").answer == []
    assert "no dead letters" in shell("dispatch", "dead-letters").out
    assert "nothing" in shell("dispatch", "retry", "--all").out


@pytest.mark.parametrize("what", [(), ("--all", "0j4zz670ccqp"), ("0j4zz670ccqp.1",), ("x.1.1",)])
def test_what_to_try_again_must_be_said(shell: Shell, what: tuple[str, ...]) -> None:
    assert shell("dispatch", "retry", *what).code == 2


def test_a_patient_that_does_not_exist_is_told(shell: Shell) -> None:
    for command in (("retry", "0j4zz670ccqp"), ("dead-letters", "--patient", "0j4zz670ccqp")):
        ran = shell("dispatch", *command)
        assert ran.code == 1
        assert "no patient" in ran.err


def test_the_backlog_is_told_for_each_policy_and_for_people(shell: Shell) -> None:
    assert "Nothing is overdue" in shell("dispatch", "backlog", "--dry-run").out
    failed(shell)
    with shell.core() as core:
        assert isinstance(core.business, StoredClock)
        core.business.set_ms(core.business.now_ms() + 9 * 86_400_000)
    found = shell("dispatch", "backlog", "--dry-run", "--json").answer
    assert found["overdue"] == 5
    assert list(found["policies"]) == ["as_written", "skip", "latest", "spread"]
    spread = found["policies"]["spread"]
    assert sum(day["sms"] + day["email"] for day in spread["days"]) == spread["sent"] == 5
    assert "5 deliveries of 1 patients" in shell("dispatch", "backlog", "--dry-run").out
    one = shell("dispatch", "backlog", "--dry-run", "--policy", "skip", "--json").answer
    assert list(one["policies"]) == ["skip"]


def test_there_is_no_backlog_to_be_run_by_hand(shell: Shell) -> None:
    ran = shell("dispatch", "backlog")
    assert ran.code == 2
    assert "--dry-run" in ran.err


def test_the_status_counts_what_waits_is_under_way_and_is_set_aside(shell: Shell) -> None:
    ran = shell("dispatch", "status", "--json")
    assert ran.code == 0, ran.err
    assert ran.answer["last_tick"] is None
    failed(shell)
    stop(shell)
    with shell.core() as core:
        core.client.set(LAST_TICK, core.machine.now_ms() - 90_000)
    found = shell("dispatch", "status", "--json").answer
    assert (found["waiting"], found["overdue"], found["in_flight"]) == (1, 1, 0)
    assert found["dead_letters"] == {"parked": 0, "failed": 1, "unknown": 0}
    assert found["stopped_senders"] == [SENDER]
    assert 90 <= found["tick_age_s"] < 150
    with shell.core() as core:
        for partition in range(core.partitions):
            core.dispatch_store.claim(partition, core.business.now_ms(), 1, 2**52)
    found = shell("dispatch", "status", "--json").answer
    assert (found["waiting"], found["in_flight"], found["in_question"]) == (0, 1, 0)
    told = shell("dispatch", "status").out
    assert "1 failed" in told
    assert SENDER in told
