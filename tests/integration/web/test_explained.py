"""Whatever a patient and the service said to each other is told by `explain`, on their own day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedules.delivery import State
from service.cli.app import main
from service.clock import from_ms
from service.staff.details import Details
from service.store.installation import StoredClock
from service.store.reply_records import Reply
from service.store.tasks import Task, TaskKind, TaskState
from tests.support.command import same_process
from tests.support.deliveries import conclude
from tests.support.web import Site, site

CLOCK = "fast:1@2026-03-02T18:00:00"
"""A Monday at ten in the morning in Los Angeles."""
MONDAY, TUESDAY, SUNDAY = "2026-03-02", "2026-03-03", "2026-03-01"
KEYS = {"due", "step", "channel", "outcome", "reason", "attempts", "kind"}
Explained = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of each test's own, which the command works on as well."""
    with site(tmp_path, clock=CLOCK) as own, same_process():
        monkeypatch.setenv("AFTERVISIT_REDIS_URL", own.server.url)
        monkeypatch.setenv("AFTERVISIT_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("AFTERVISIT_CLOCK", CLOCK)
        yield own


@pytest.fixture
def explained(capsys: pytest.CaptureFixture[str]) -> Explained:
    """What the command answers; every entry has the keys of a delivery."""

    def run(patient: str, *options: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["explain", patient, *options, "--json"]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        assert all(set(entry) >= KEYS for entry in found)
        return found

    return run


def minutes_pass(web: Site, minutes: int = 1) -> None:
    assert isinstance(web.core.business, StoredClock)
    web.core.business.set_ms(web.core.business.now_ms() + minutes * 60_000)
    web.wait(minutes)


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["kind"] for entry in entries]


def of(kind: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["kind"] == kind]


def test_a_day_of_sending_stop_start_a_rating_and_a_word_is_told_in_its_order(
    web: Site, phone: str, explained: Explained
) -> None:
    patient = web.enrol(phone=phone)
    conclude(web.core, patient, State.SENT, "accepted", late=timedelta(seconds=2))
    for body in ("STOP", "START", "about a 6", "LEGS", "can I take this with grapefruit"):
        minutes_pass(web, 11)
        web.text(phone, body)
    found = explained(patient, "--date", MONDAY)
    times = [entry["due"] for entry in found]
    assert times == sorted(times)
    assert all(each.startswith(MONDAY) for each in times)
    assert [entry["step"] for entry in of("delivery", found)] == ["welcome"]
    assert [(e["reason"], e["messages"]) for e in of("reply", found)][:3] == [
        ("opt_out", []),
        ("opt_in", []),
        ("check_in", ["check-in-same"]),
    ]
    assert "the provider answers that word" in of("reply", found)[0]["sentence"]
    assert [entry["reason"] for entry in of("opt_out", found)] == ["stop"]
    assert [entry["reason"] for entry in of("opt_in", found)] == ["rejoined"]
    assert [entry["reason"] for entry in of("task", found)] == ["reply"]
    assert kinds(found)[0] == "consent", "she agreed first of all"
    assert all(entry["sentence"].endswith(".") for entry in found)


def test_words_of_replies_are_told_only_where_they_are_asked_for(
    web: Site, phone: str, explained: Explained
) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, "can I take this with grapefruit")
    (reply,) = of("reply", explained(patient))
    assert reply["text"] is None
    assert "grapefruit" not in json.dumps(explained(patient))
    (reply,) = of("reply", explained(patient, "--replies"))
    assert reply["text"] == "can I take this with grapefruit"


def test_why_she_got_nothing_on_tuesday_is_said_even_where_nothing_was_planned(
    web: Site, phone: str, explained: Explained
) -> None:
    patient = web.enrol(phone=phone)
    minutes_pass(web)
    web.text(phone, "STOP")
    empty = next(
        entry
        for day in range(3, 20)
        for entry in explained(patient, "--date", f"2026-03-{day:02d}")
        if entry["outcome"] == "nothing"
    )
    assert "Nothing was planned for that day." in empty["sentence"]
    assert "the next is due on" in empty["sentence"].lower()
    assert "Opted out by text on Monday 02 Mar 10:01." in empty["sentence"]
    planned = [e for e in of("delivery", explained(patient)) if e["reason"] == "opted_out"]
    assert all("Opted out by text on Monday 02 Mar 10:01." in e["sentence"] for e in planned)


def test_a_pause_and_a_change_by_staff_are_told_with_who_did_it(
    web: Site, phone: str, explained: Explained
) -> None:
    patient = web.enrol(phone=phone)
    minutes_pass(web)
    day = (from_ms(web.core.business.now_ms()) + timedelta(days=9)).date()
    web.core.staff.pause(patient, series=None, source="cli:ida", until=day)
    web.core.details.change(patient, Details(bedtime="21:15"), source="page")
    (pause,) = of("pause", explained(patient))
    assert (
        pause["sentence"] == "Paused until Wednesday 11 Mar by staff (ida) on Monday 02 Mar 10:01."
    )
    (change,) = of("change", explained(patient))
    assert change["reason"] == "bedtime"
    assert "on their page" in change["sentence"]
    (held,) = {e["sentence"] for e in of("delivery", explained(patient))}
    assert pause["sentence"] in held


def test_somebody_who_joined_by_text_sees_how(web: Site, phone: str, explained: Explained) -> None:
    web.text(phone, "LEGS")
    minutes_pass(web)
    web.text(phone, "YES")
    (patient,) = web.core.suppressions.patients(web.core.suppressions.digest("sms", phone))
    found = explained(patient, "--date", MONDAY)
    word, yes = of("reply", found)
    assert word["messages"] == ["join-confirm"]
    assert "affirm" in yes["reason"] or "opt_in" in yes["reason"]
    (consent,) = of("consent", found)
    assert (consent["reason"], consent["channel"]) == ("text-in", "sms")


@pytest.mark.parametrize(
    ("body", "reason"),
    [("you have the wrong number", "wrong_number"), ("She passed away last week.", "died")],
)
def test_a_wrong_number_and_a_death_are_told_as_the_cause(
    web: Site, phone: str, explained: Explained, body: str, reason: str
) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, body)
    found = explained(patient)
    (left,) = of("opt_out", found)
    assert left["reason"] == reason
    assert {e["outcome"] for e in of("delivery", found)} == {"not_sent"}
    assert all(left["sentence"] in e["sentence"] for e in of("delivery", found))
    assert [entry["reason"] for entry in of("task", found)] == [reason]


def test_what_one_phone_of_two_patients_says_is_told_of_both_and_exported_without_words(
    web: Site, phone: str, explained: Explained
) -> None:
    ana, ben = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    web.text(phone, "what about magnesium")
    assert [len(of("reply", explained(patient))) for patient in (ana, ben)] == [1, 1]
    (reply,) = web.core.holdings.of(ana)["replies"]
    assert (reply["understood"], reply["text"]) == (["other"], None)


def test_the_last_patient_of_a_phone_takes_the_words_along_when_erased(
    web: Site, phone: str
) -> None:
    ana, ben = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    web.text(phone, "what about magnesium")
    digest = web.core.suppressions.digest("sms", phone)
    said = [each.what for each in web.core.conversations.of(digest)]
    (reply,) = [each for each in said if isinstance(each, Reply)]
    web.core.erasure.erase(ana, source="test")
    (held,) = web.core.holdings.of(ben)["replies"]
    assert held["text"] == "what about magnesium"
    web.core.erasure.erase(ben, source="test")
    assert web.core.replies.content(reply) == {}


def test_what_waits_for_staff_about_an_erased_patient_is_closed_and_holds_no_words(
    web: Site, phone: str
) -> None:
    ana = web.enrol("Ana", phone=phone)
    web.text(phone, "since this morning my left leg is swollen and hot")
    web.core.choices.ask_for_erasure(ana)
    digest = web.core.suppressions.digest("sms", phone)
    said = [each.what for each in web.core.conversations.of(digest)]
    tasks = [each for each in said if isinstance(each, Task)]
    assert {task.kind for task in tasks} == {TaskKind.URGENT, TaskKind.ERASURE}
    web.core.tasks.close(tasks[0].id, "test", note="She will come by.")
    web.core.erasure.erase(ana, source="test")
    for task in tasks:
        found = web.core.tasks.find(task.id)
        assert found.state is TaskState.CLOSED
        assert web.core.tasks.content(found) == {}
        assert web.core.tasks.notes(found) == []


def test_what_waits_about_a_phone_stays_while_somebody_else_uses_it(web: Site, phone: str) -> None:
    ana, _ = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    web.text(phone, "what about magnesium")
    web.core.erasure.erase(ana, source="test")
    (task,) = [task for task in web.core.tasks.waiting() if ana in task.patients]
    assert web.core.tasks.content(task)["body"] == "what about magnesium"
