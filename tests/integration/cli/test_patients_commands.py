from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from schedules.series import load_series
from tests.integration.cli.conftest import Shell
from tests.support.command import aftervisit

ENROL = (
    *("enroll", "--clinic", "riverside", "--language", "en", "--timezone", "America/Los_Angeles"),
    *("--state", "OR", "--bedtime", "22:30", "--start", "2126-03-04", "--wording", "2026-01"),
    *("--phone", "(503) 555-0142", "--sms-consent", "verbal"),
)
MAIL = ("--email", "Ana@Example.org", "--email-consent", "written")


def enrol(shell: Shell, *arguments: str, name: str = "Ana", series: str = "sleep-hygiene") -> str:
    ran = shell(*ENROL, "--given-name", name, "--series", series, *arguments, "--json")
    assert ran.code == 0, ran.err
    return str(ran.answer["patient"])


def test_a_patient_is_enrolled_on_the_embedded_store_and_found_again(tmp_path: Path) -> None:
    """No setting but the data directory: each command starts the store and ends it."""
    enrolled = aftervisit(
        *(*ENROL, *MAIL, "--given-name", "Ana", "--series", "sleep-hygiene", "--json"),
        data_dir=tmp_path,
    )
    assert enrolled.code == 0, enrolled.err
    patient = enrolled.answer["patient"]
    assert enrolled.answer["subscriptions"] == [f"{patient}.1"]
    assert (enrolled.answer["status"], enrolled.answer["suppressed"]) == ("active", [])
    assert enrolled.err == ""
    shown = aftervisit("patients", "show", patient, "--json", data_dir=tmp_path).answer
    assert (shown["given_name"], shown["phone"]) == ("Ana", "+15035550142")
    assert shown["email"] == "ana@example.org"
    assert [consent["method"] for consent in shown["consents"]] == ["verbal", "written"]
    assert {consent["wording"] for consent in shown["consents"]} == {"2026-01"}


def test_patients_are_listed_and_found_by_phone_and_mailbox(shell: Shell) -> None:
    ana, ben = enrol(shell, *MAIL), enrol(shell, name="Ben")
    listed = shell("patients", "list", "--json").answer
    assert [row["patient"] for row in listed] == sorted([ana, ben])
    assert "5550142" not in shell("patients", "list", "--json").out
    by_phone = shell("patients", "find", "--phone", "5035550142", "--json").answer
    assert [row["patient"] for row in by_phone] == sorted([ana, ben])
    by_mail = shell("patients", "find", "--email", "ANA@example.org", "--json").answer
    assert [row["patient"] for row in by_mail] == [ana]
    assert "No patient" in shell("patients", "find", "--email", "eve@example.org").failed(1)
    one = shell("patients", "list", "--limit", "1", "--json")
    assert len(one.answer) == 1
    assert "more than 1" in one.err


def test_enrolling_twice_in_one_series_is_refused_and_another_series_is_added(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    again = shell(*ENROL, *MAIL, "--given-name", "ana", "--series", "sleep-hygiene", "--json")
    assert again.failed(2)
    assert again.answer["error"]["code"] == "already_enrolled"
    assert enrol(shell, *MAIL, series="restless-legs") == patient
    shown = shell("patients", "show", patient, "--json").answer
    assert [row["series"] for row in shown["subscriptions"]] == ["sleep-hygiene", "restless-legs"]


def test_a_pause_holds_one_series_or_all_and_a_resume_lets_it_go(shell: Shell) -> None:
    patient = enrol(shell)
    enrol(shell, series="restless-legs")
    first, second = f"{patient}.1", f"{patient}.2"
    assert shell("patients", "pause", patient, "--series", "restless-legs", "--json").answer == {
        "patient": patient,
        "paused": [second],
    }
    assert _statuses(shell, patient) == ["active", "paused"]
    assert shell("patients", "pause", patient, "--json").answer["paused"] == [first]
    assert "paused" in shell("patients", "pause", patient).failed(1)
    planned = shell("explain", patient, "--json").answer
    assert {line["reason"] for line in planned} == {"paused"}
    assert shell("patients", "resume", patient, "--json").answer["resumed"] == [first, second]
    assert _statuses(shell, patient) == ["active", "active"]
    assert "not in the series" in shell(
        "patients", "pause", patient, "--series", "restless-arms"
    ).failed(1)


def test_a_series_that_staff_stopped_by_mistake_goes_on_and_a_stop_of_all_does_not(
    shell: Shell,
) -> None:
    patient = enrol(shell)
    restart = ("patients", "restart", patient, "--series", "sleep-hygiene")
    assert "not stopped" in shell(*restart).failed(1)
    with shell.core() as core:
        core.staff.leave(patient, 1, source="staff:ida", undoable=True)
    assert _statuses(shell, patient) == ["opted_out"]
    assert shell(*restart, "--json").answer == {
        "patient": patient,
        "restarted": [f"{patient}.1"],
    }
    assert _statuses(shell, patient) == ["active"]
    shell("patients", "stop", patient)
    assert "Only they can come back" in shell(*restart).failed(1)
    assert "--series" in shell("patients", "restart", patient).failed(2)


def test_a_stop_covers_every_address_and_names_who_shares_one(shell: Shell) -> None:
    ana, ben = enrol(shell, *MAIL), enrol(shell, name="Ben")
    stopped = shell("patients", "stop", ana, "--json").answer
    assert stopped["suppressed"] == ["sms", "email"]
    assert stopped["sharing"] == {"sms": [ben]}
    assert sorted(stopped["ended"]) == sorted([f"{ana}.1", f"{ben}.1"])
    for patient in (ana, ben):
        assert _statuses(shell, patient) == ["opted_out"]
    shown = shell("patients", "show", ana, "--json").answer
    assert shown["suppressed"] == {"sms": "staff", "email": "staff"}
    assert shown["reachable"] == []
    again = shell("patients", "stop", ana, "--json")
    assert (again.code, again.answer["ended"]) == (0, [])
    late = shell(*ENROL, "--given-name", "Cy", "--series", "sleep-hygiene", "--json").answer
    assert (late["status"], late["suppressed"]) == ("opted_out", ["sms"])


def test_what_comes_is_explained_in_the_patients_own_time(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    lines = shell("explain", patient, "--json").answer
    assert [line["step"] for line in lines] == [
        step.id for step in load_series("sleep-hygiene").steps
    ]
    for line in lines:
        assert set(line) >= {"due", "step", "channel", "outcome", "reason", "attempts"}
        assert (line["outcome"], line["reason"], line["attempts"]) == ("planned", None, 0)
        assert datetime.fromisoformat(line["due"]).utcoffset() is not None
    second = shell("explain", patient, "--date", "2126-03-05", "--json").answer
    assert [date.fromisoformat(line["due"][:10]) for line in second] == [date(2126, 3, 5)]


@pytest.mark.parametrize(
    ("day", "reason"),
    [("2020-01-01", "not_enrolled"), ("2126-03-03", "not_begun"), ("2126-09-01", "over")],
)
def test_a_day_with_nothing_says_why(shell: Shell, day: str, reason: str) -> None:
    patient = enrol(shell)
    (line,) = shell("explain", patient, "--date", day, "--json").answer
    assert (line["due"], line["step"], line["outcome"]) == (None, None, "nothing")
    assert line["reason"] == reason
    assert line["sentence"]


def test_people_read_the_same_within_80_columns(shell: Shell) -> None:
    patient = enrol(shell, *MAIL)
    shell("patients", "pause", patient)
    for arguments in (
        ("patients", "list"),
        ("patients", "find", "--phone", "5035550142"),
        ("patients", "show", patient),
        ("explain", patient),
        ("explain", patient, "--date", "2126-03-05"),
        ("doctor",),
    ):
        ran = shell(*arguments)
        assert ran.code == 0, ran.err
        assert max(len(line) for line in ran.out.splitlines()) <= 80
        assert "paused" in ran.out or arguments[0] == "doctor"


@pytest.mark.parametrize("command", ["show", "pause", "resume", "stop"])
def test_a_patient_who_is_not_there_is_told_in_one_line(shell: Shell, command: str) -> None:
    for patient in ("0j4zz670ccqp", "Ana", ""):
        assert "no patient" in shell("patients", command, patient).failed(1)


def test_the_doctor_answers_for_a_healthy_installation(shell: Shell) -> None:
    enrol(shell)
    ran = shell("doctor", "--json")
    assert (ran.code, ran.answer["healthy"]) == (0, True)
    assert {finding["status"] for finding in ran.answer["findings"]} <= {"ok", "warning"}


def test_the_doctor_fails_where_something_keeps_the_service_from_working(tmp_path: Path) -> None:
    ran = aftervisit("doctor", "--json", data_dir=tmp_path, REDIS_URL="redis://127.0.0.1:1/0")
    assert (ran.code, ran.answer["healthy"]) == (1, False)
    assert all(
        finding["remedy"] for finding in ran.answer["findings"] if finding["status"] == "problem"
    )


def _statuses(shell: Shell, patient: str) -> list[str]:
    rows = shell("patients", "show", patient, "--json").answer["subscriptions"]
    return [str(row["status"]) for row in rows]


def test_patients_are_found_by_name_and_listed_anew(shell: Shell) -> None:
    ana = enrol(shell)
    enrol(shell, name="Ben")
    with shell.core() as core:
        directory = core.patients.directory
        directory.leave(ana, [directory.named("riverside", "Ana")])
    assert "has this name" in shell("patients", "find", "--name", "ÁNA").failed(1)
    assert shell("patients", "relist", "--json").answer == {"entered": 1}
    found = shell("patients", "find", "--name", "ÁNA", "--json").answer
    assert [row["patient"] for row in found] == [ana]
    assert "not both" in shell("patients", "find", "--name", "Ana", "--phone", "1").failed(2)
