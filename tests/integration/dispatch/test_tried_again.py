"""A text that its provider took and then failed for good: once more, while it is useful, or not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schedules.delivery import State
from service.clock import from_ms, to_ms
from service.dispatch.receipts import LATER_MS
from service.store.installation import StoredClock
from service.store.keys import PartitionKeys
from service.store.rates import PROBE_MS
from service.store.records import Status
from tests.fakes.provider import SENDER
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Patient, Worker


def set_on(worker: Worker, ms: int) -> None:
    """Move business time on."""
    assert isinstance(worker.core.business, StoredClock)
    worker.core.business.set_ms(worker.core.business.now_ms() + ms)


def sent(worker: Worker, **changes: str) -> Patient:
    """A patient whose welcome has been accepted."""
    patient = worker.enrol_by_text(**changes)
    worker.drain()
    assert patient.states == [State.SENT]
    return patient


def bodies(patient: Patient) -> list[int]:
    """How often each different text arrived."""
    return [patient.texts.count(body) for body in dict.fromkeys(patient.texts)]


def is_stopped(worker: Worker) -> bool:
    return worker.core.stores.rates.record(SENDER).stopped_ms is not None


@pytest.mark.parametrize("code", ["30001", "30003", "99999"])
def test_a_phone_that_was_off_gets_the_text_once_more_and_only_once(
    worker: Worker, code: str
) -> None:
    patient = sent(worker)
    for _ in range(3):  # the same receipt, repeated
        assert worker.report(patient, "undelivered", code)
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.code) == (State.PENDING, code)
    worker.drain()
    assert len(patient.texts) == 1, "not at once"
    set_on(worker, LATER_MS)
    worker.drain()
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.attempts) == (State.SENT, 2)
    worker.report(patient, "undelivered", code)
    assert patient.states == [State.UNDELIVERED]
    set_on(worker, 2 * LATER_MS)
    worker.drain()
    assert bodies(patient) == [2]


def test_the_series_goes_on_beside_it_and_every_other_step_arrives_once(worker: Worker) -> None:
    patient = sent(worker)
    worker.to_next_due()
    worker.drain()
    first, second = patient.history
    assert (first.state, second.state) == ("s", "s")
    attempts = worker.attempts()
    (name,) = [n for n, attempt in attempts.items() if attempt.index == 0]
    worker.report_of(name, attempts[name].provider_id, "undelivered", "30003")
    for _ in range(6):
        worker.to_next_due()
        worker.drain()
    assert bodies(patient)[0] == 2
    assert set(bodies(patient)[1:]) == {1}
    assert [entry.index for entry in patient.history] == list(range(len(patient.history)))


def test_it_does_not_go_outside_the_hours_nor_twice_a_day(worker: Worker) -> None:
    """Failed at ten to nine in the evening, it goes at its usual time on the next day."""
    patient = sent(worker)
    while len(patient.history) < 3:
        worker.to_next_due()
        worker.drain()
    evening = datetime(2026, 3, 5, 4, 50, tzinfo=UTC)  # 20:50 on the 4th in Los Angeles
    set_on(worker, to_ms(evening) - worker.core.business.now_ms())
    worker.report(patient, "undelivered", "30003")
    set_on(worker, LATER_MS)
    worker.drain()
    assert len(patient.texts) == 3
    worker.to_next_due()
    assert from_ms(worker.core.business.now_ms()) == datetime(2026, 3, 5, 20, 30, tzinfo=UTC)
    worker.drain()
    assert bodies(patient) == [1, 1, 2]


def test_what_is_not_useful_any_more_stays_undelivered(worker: Worker) -> None:
    patient = sent(worker)
    set_on(worker, 7 * 86_400_000)
    worker.report(patient, "undelivered", "30003")
    set_on(worker, LATER_MS)
    worker.drain()
    entry = patient.history[0]
    assert (State.from_code(entry.state), entry.reason) == (State.UNDELIVERED, "expired")
    assert bodies(patient)[0] == 1


def test_who_has_left_meanwhile_gets_nothing_more(worker: Worker) -> None:
    patient = sent(worker)
    worker.report(patient, "undelivered", "30003")
    ledger = worker.core.suppressions
    ledger.suppress("sms", ledger.digest("sms", patient.phone), reason="stop", source="test")
    set_on(worker, LATER_MS)
    worker.drain()
    assert bodies(patient) == [1]


def test_a_receipt_that_says_delivered_after_all_takes_it_back(worker: Worker) -> None:
    patient = sent(worker)
    worker.report(patient, "undelivered", "30003")
    worker.report(patient, "delivered")
    assert patient.states == [State.DELIVERED]
    set_on(worker, LATER_MS)
    worker.drain()
    assert bodies(patient) == [1]


def test_a_failure_reported_before_its_answer_was_recorded_is_tried_again_too(
    workers: Workers,
) -> None:
    worker = workers(settle_s=600)
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    worker.drain()
    ((name, _),) = worker.attempts().items()
    (text,) = worker.provider.accepted()[-1:]
    worker.report_of(name, text["sid"], "undelivered", "30003")
    worker.wait(5)
    worker.drain()
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.code) == (State.PENDING, "30003")
    set_on(worker, LATER_MS)
    worker.drain()
    assert patient.states == [State.SENT]
    assert bodies(patient) == [2]


def test_the_last_step_of_a_series_is_tried_again_before_the_series_is_over(
    worker: Worker,
) -> None:
    patient = sent(worker, series="sleep-hygiene", bedtime="18:00")
    while len(patient.history) < 15:
        worker.to_next_due()
        worker.drain()
    before = patient.status
    worker.report(patient, "undelivered", "30003")
    assert (before, patient.status) == (Status.COMPLETED, Status.ACTIVE)
    set_on(worker, LATER_MS)
    worker.drain()
    assert patient.status is Status.COMPLETED
    assert bodies(patient) == [1] * 14 + [2]


def test_a_provider_that_was_busy_first_does_not_use_up_the_later_attempt(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("busy", retry_after=1)
    patient.refused("refuse", code=30003)
    for _ in range(4):
        worker.drain()
        worker.wait(60)
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.attempts) == (State.SENT, 3)
    patient.refused("refuse", code=30003)
    worker.report(patient, "undelivered", "30003")
    set_on(worker, LATER_MS)
    worker.drain()
    assert patient.states == [State.UNDELIVERED], "that was the later attempt"


def test_a_sender_that_is_refused_by_receipt_stops_and_what_it_failed_goes_when_it_is_mended(
    worker: Worker,
) -> None:
    first, second = sent(worker), sent(worker)
    worker.report(first, "undelivered", "30034")
    assert is_stopped(worker)
    third = worker.enrol_by_text()
    set_on(worker, LATER_MS)
    worker.drain()
    assert [len(p.texts) for p in (first, second, third)] == [1, 1, 0]
    worker.wait(PROBE_MS / 1000 + 120)
    worker.drain()
    assert is_stopped(worker), "that it was accepted proves nothing here"
    (probed,) = [p for p, before in ((first, 1), (third, 0)) if len(p.texts) > before]
    worker.report(probed, "sent")
    assert not is_stopped(worker), "a receipt of the probe does"
    worker.drain_until(lambda: len(first.texts) == 2 and third.texts, "both arrive")
    assert [patient.states for patient in (first, second, third)] == [[State.SENT]] * 3


def test_a_late_refusal_from_before_it_was_mended_does_not_stop_a_sender_again(
    worker: Worker,
) -> None:
    first, second = sent(worker), sent(worker)
    worker.report(first, "undelivered", "30034")
    worker.wait(1)
    worker.core.sender_list.resume(SENDER, source="test")
    worker.report(second, "undelivered", "30034")
    assert not is_stopped(worker)
    set_on(worker, LATER_MS)
    worker.drain()
    assert [len(first.texts), len(second.texts)] == [2, 2]


def test_filtered_texts_fail_and_too_large_a_share_of_them_stops_the_sender(
    workers: Workers,
) -> None:
    worker = workers(filtered_percent=50)
    patients = [sent(worker) for _ in range(9)]
    for patient in patients[:4]:
        worker.report(patient, "undelivered", "30007")
        worker.report(patient, "undelivered", "30007")  # a copy is not counted
    assert not is_stopped(worker), "four of nine"
    worker.report(patients[4], "undelivered", "30007")
    assert is_stopped(worker)
    set_on(worker, LATER_MS)
    worker.drain()
    assert {patient.states[0] for patient in patients[:5]} == {State.UNDELIVERED}
    assert {len(patient.texts) for patient in patients} == {1}


def test_nothing_is_left_of_it_when_it_is_over(worker: Worker) -> None:
    patient = sent(worker)
    worker.report(patient, "undelivered", "30003")
    key = PartitionKeys(0).patient(patient.receipt.patient)
    assert worker.core.client.hexists(key, "a1.0")
    set_on(worker, LATER_MS)
    worker.drain()
    assert not worker.core.client.hexists(key, "a1.0")
    assert not worker.core.client.hexists(key, "b1")
