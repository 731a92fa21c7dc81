"""Patients are moved to another version of their series while workers send."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pytest

import schedules.series
from schedules.delivery import State
from schedules.reasons import Reason
from service.authoring.migrating import SeriesMigrations
from service.errors import InvalidInput
from service.store.migrations import Migration, Order
from service.store.records import Status
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Patient, Worker
from tests.support.polling import until

TIPS = ("walking", "caffeine", "stretching", "hydration", "yoga", "swimming", "meditation")
OLD = {"walking": 1, "caffeine": 2, "stretching": 3, "hydration": 4, "yoga": 5, "swimming": 6}
NEW = {"stretching": 2, "meditation": 3, "hydration": 5, "caffeine": 6, "walking": 7, "swimming": 8}
"""Message -> day. The newer version has one more, one less, and another order."""
MOVES = 12
HEAD = """
series = "tips"
version = {version}
title = "Tips"
frequency = "a message a day"
nightly = false
catch_up = "spread"
expires_after = "21d"
"""
STEP = """
[[step]]
message = "{message}"
day = {day}
at = "12:30"
channel = "sms"
"""


def publish(root: Path, version: int, steps: dict[str, int]) -> None:
    written = [STEP.format(message=message, day=day) for message, day in steps.items()]
    text = HEAD.format(version=version) + "".join(written)
    (root / f"tips.v{version}.toml").write_text(text, "utf-8")


@pytest.fixture
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of series of the test's own, with one version of one of them."""
    root = tmp_path / "series"
    root.mkdir()
    publish(root, 1, OLD)
    monkeypatch.setattr(schedules.series, "PACKAGED", root)
    return root


def migrations(worker: Worker) -> SeriesMigrations:
    return worker.core.series_migrations


def moved(worker: Worker, order: Order, *, rounds: int = 20) -> Migration:
    """Go on until it is done, with what is in flight concluded in between."""
    found = migrations(worker).start(order, by="test")
    for _ in range(rounds):
        found = migrations(worker).go_on(found.id, seconds=0, token="test")
        if not found.is_open:
            return found
        worker.drain()
    raise AssertionError(f"not moved: {found}")


def nothing() -> None:
    """What happens beside and between the days of most tests."""


def to_the_end(
    worker: Worker, meanwhile: Callable[[], None] = nothing, between: Callable[[], None] = nothing
) -> None:
    """Let day after day pass, until nothing is due any more."""
    while worker.core.dispatch_store.peek([0])[0].due_ms is not None:
        worker.to_next_due()
        meanwhile()
        worker.drain()
        between()


def days_pass(worker: Worker, count: int) -> None:
    for _ in range(count):
        worker.to_next_due()
        worker.drain()


def sent(patient: Patient) -> Counter[str]:
    """How often each message went out, as the patient's history has it."""
    return Counter(entry.message for entry in patient.history if entry.state == State.SENT.code)


@pytest.mark.parametrize("days", range(7))
def test_everybody_gets_each_message_once_whenever_they_are_moved(
    worker: Worker, series: Path, days: int
) -> None:
    patients = [worker.enrol_by_text(series="tips") for _ in range(3)]
    days_pass(worker, days)
    publish(series, 2, NEW)
    before = sent(patients[0])
    found = moved(worker, Order("tips", 1, 2))
    to_the_end(worker)
    had = [*OLD][:days]
    over = days == len(OLD)
    for patient in patients:
        expected = set(had) if over else {*had, *NEW}
        assert sent(patient) == dict.fromkeys(expected, 1)
        assert len(patient.texts) == len(expected)
        status = [
            each.status
            for each in worker.core.patients.load(patient.receipt.patient).subscriptions()
        ]
        assert status == ([Status.COMPLETED] if over else [Status.MOVED, Status.COMPLETED])
    assert set(before) == set(had)
    assert found.progress.counts.get("moved", 0) == (0 if over else 3)


def test_what_they_had_is_passed_over_with_a_reason_that_explain_tells(
    worker: Worker, series: Path
) -> None:
    patient = worker.enrol_by_text(series="tips")
    days_pass(worker, 2)
    publish(series, 2, NEW)
    moved(worker, Order("tips", 1, 2))
    coming = {
        line.step: line.reason
        for line in worker.core.explain.explain(patient.receipt.patient)
        if line.outcome == "not_sent"
    }
    assert coming == dict.fromkeys(("caffeine", "walking"), Reason.DONE_BEFORE)
    to_the_end(worker)
    passed = [e.message for e in patient.history if e.reason == Reason.DONE_BEFORE]
    assert passed == ["caffeine", "walking"]
    told = worker.core.explain.account(patient.receipt.patient)
    assert [each.kind for each in told if hasattr(each, "kind")][-1] == "change"


def test_a_dry_run_tells_what_the_migration_then_does_and_changes_nothing(
    worker: Worker, series: Path
) -> None:
    patients = [worker.enrol_by_text(series="tips") for _ in range(2)]
    days_pass(worker, 2)
    publish(series, 2, NEW)
    dry = moved(worker, Order("tips", 1, 2, dry=True))
    assert all(patient.status is Status.ACTIVE for patient in patients)
    assert dry.progress.counts["patients"] == 2
    assert dry.progress.steps["gets"] == {"meditation": 2}
    assert dry.progress.steps["loses"] == {"yoga": 2}
    real = moved(worker, Order("tips", 1, 2))
    for word in ("patients", "moved", "gets", "loses", "shifted"):
        assert dry.progress.counts[word] == real.progress.counts[word] == 2
    assert real.progress.steps == dry.progress.steps
    assert len(real.progress.examples) == 2


def test_what_is_late_is_told_and_goes_one_a_day(worker: Worker, series: Path) -> None:
    patient = worker.enrol_by_text(series="tips")
    days_pass(worker, 5)
    publish(series, 2, {"meditation": 1, "smoking": 2, "alcohol": 3, **OLD})
    dry = moved(worker, Order("tips", 1, 2, dry=True))
    assert dry.progress.steps["late"] == dict.fromkeys(("meditation", "smoking", "alcohol"), 1)
    assert (dry.progress.counts["late_sent"], dry.progress.counts.get("late_passed", 0)) == (3, 0)
    moved(worker, Order("tips", 1, 2))
    worker.drain()
    assert len(patient.texts) == 5, "the day's message has gone out already"
    days_pass(worker, 1)
    assert len(patient.texts) == 6
    to_the_end(worker)
    assert set(sent(patient).values()) == {1}
    assert len(patient.texts) == 9


def test_only_patients_of_the_clinics_named_are_moved(worker: Worker, series: Path) -> None:
    worker.enrol_by_text(series="tips")
    publish(series, 2, NEW)
    assert moved(worker, Order("tips", 1, 2, ("elsewhere",))).progress.counts["patients"] == 0
    assert moved(worker, Order("tips", 1, 2, ("riverside",))).progress.counts["moved"] == 1


def test_versions_that_are_not_published_are_refused(worker: Worker, series: Path) -> None:
    assert series.exists()
    for order in (Order("tips", 1, 2), Order("tips", 3, 1), Order("tips", 1, 1)):
        with pytest.raises(InvalidInput):
            migrations(worker).start(order, by="test")


def test_one_that_was_stopped_moves_nobody_any_more(worker: Worker, series: Path) -> None:
    patient = worker.enrol_by_text(series="tips")
    publish(series, 2, NEW)
    started = migrations(worker).start(Order("tips", 1, 2), by="test")
    assert migrations(worker).start(Order("tips", 1, 2), by="another").id == started.id
    queued: list[str] = []
    for _ in range(2):
        migrations(worker).queue(queued.append)
    assert queued == [started.id], "whoever was told of it has some time"
    worker.wait(20)
    migrations(worker).queue(queued.append)
    assert queued == [started.id] * 2
    migrations(worker).stop(started.id, by="test")
    found = migrations(worker).go_on(started.id, seconds=1, token="test")
    assert (found.state, patient.status) == ("stopped", Status.ACTIVE)
    worker.wait(20)
    migrations(worker).queue(queued.append)
    assert len(queued) == 2


def test_leaving_from_a_page_that_shows_the_old_subscription_ends_the_new_one(
    worker: Worker, series: Path
) -> None:
    patient = worker.enrol_by_text(series="tips")
    publish(series, 2, NEW)
    moved(worker, Order("tips", 1, 2))
    identifier = patient.receipt.patient
    assert worker.core.staff.pause(identifier, series=None, source="test") == (f"{identifier}.2",)
    assert worker.core.staff.leave(identifier, 1, source="page")
    (_, new) = worker.core.patients.load(identifier).subscriptions()
    assert (new.status, new.left) == (Status.OPTED_OUT, True)
    to_the_end(worker)
    assert patient.texts == []


def test_workers_that_send_meanwhile_send_nothing_twice_and_lose_nothing(
    workers: Workers, series: Path
) -> None:
    """All patients are moved there and back, as fast as that goes, while they are sent to."""
    worker, mover = workers(), workers()
    patients = []
    for _ in range(4):
        patients += [worker.enrol_by_text(series="tips") for _ in range(6)]
        days_pass(worker, 1)
    publish(series, 2, NEW)
    turn = threading.Semaphore(0)
    counts: Counter[str] = Counter()

    def keep_moving() -> None:
        for order in islice(cycle((Order("tips", 1, 2), Order("tips", 2, 1))), MOVES):
            turn.acquire()
            started = migrations(mover).start(order, by="test")
            while migrations(mover).go_on(started.id, seconds=0.05, token="mover").is_open:
                pass
            counts.update(migrations(mover).find(started.id).progress.counts)
            counts["done"] += 1

    def one_more() -> None:
        counts["asked"] += 1
        turn.release()

    def all_done() -> None:
        until(lambda: counts["done"] >= min(counts["asked"], MOVES), "they are moved")

    thread = threading.Thread(target=keep_moving)
    thread.start()
    try:
        to_the_end(worker, one_more, all_done)
    finally:
        turn.release(MOVES)
        thread.join()
    assert counts["moved"] > len(patients)
    for patient in patients:
        fields = worker.core.patients.load(patient.receipt.patient)
        *before, last = fields.subscriptions()
        assert {each.status for each in before} <= {Status.MOVED}
        assert last.status is Status.COMPLETED
        assert set(sent(patient)) >= set(OLD if last.version == 1 else NEW)
        assert set(sent(patient).values()) == {1}
        assert len(patient.texts) == sent(patient).total()
