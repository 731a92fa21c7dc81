"""Deliveries that staff should look at: listed with the reason, tried again where it is safe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from schedules.delivery import State
from service.clock import to_ms
from service.dispatch.dead_letters import DeadLetter, Retried
from service.errors import NotFound
from service.store.dead_letters import DeliveryId
from service.store.installation import StoredClock
from service.store.keys import PartitionKeys
from service.store.records import Status
from service.store.scripts import as_text
from tests.integration.dispatch.installation import Patient, Worker


def letters(worker: Worker) -> list[DeadLetter]:
    return worker.core.dead_letters.some(100)


def retry(worker: Worker, patient: Patient, index: int = 0) -> Retried:
    delivery = DeliveryId(patient.receipt.patient, 1, index)
    return worker.core.dead_letters.retry(delivery, source="cli:ana")


def refused(worker: Worker) -> Patient:
    """A patient whose welcome was refused for good."""
    patient = worker.enrol_by_text()
    patient.refused("refuse", code=21408)
    worker.drain()
    assert patient.states == [State.FAILED]
    return patient


def retries_on_record(worker: Worker) -> list[tuple[str, str]]:
    rows = worker.core.client.xrange(PartitionKeys(0).audit) or []
    entries = [fields for _, fields in rows if fields and fields[b"what"] == b"retried"]
    return [(as_text(fields[b"step"]), as_text(fields[b"by"])) for fields in entries]


def set_to(worker: Worker, when: datetime) -> None:
    assert isinstance(worker.core.business, StoredClock)
    worker.core.business.set_ms(to_ms(when))


def test_what_was_refused_is_listed_and_arrives_once_it_is_tried_again(worker: Worker) -> None:
    patient = refused(worker)
    (letter,) = letters(worker)
    assert (letter.id.patient, letter.series) == (patient.receipt.patient, "restless-legs")
    assert (letter.step, letter.state, letter.code) == ("welcome", State.FAILED, "21408")
    assert letter.retriable
    assert letter.sentence == "The provider refused it for good."
    assert retry(worker, patient).outcome == "retried"
    assert (letters(worker), patient.states) == ([], [State.PENDING])
    worker.drain()
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.attempts) == (State.SENT, 2)
    assert len(patient.texts) == 1
    assert retries_on_record(worker) == [("1.0", "cli:ana")]


def test_asked_by_many_at_once_it_is_done_once(worker: Worker) -> None:
    patient = refused(worker)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: retry(worker, patient).outcome, range(12)))
    assert sorted(answers) == ["pending"] * 11 + ["retried"]
    assert len(retries_on_record(worker)) == 1
    worker.drain()
    assert retry(worker, patient).outcome == "refused", "it has been sent"
    worker.drain()
    assert len(patient.texts) == 1


def test_what_killed_workers_is_set_aside_and_arrives_once_it_is_tried_again(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    store, now_ms = worker.core.dispatch_store, worker.core.business.now_ms()
    for _ in range(3):
        (claimed,) = store.claim(0, now_ms, 10, worker.machine.now_ms())
        store.suspect(claimed)  # taken alone, and its worker dies
        worker.wait(3)
        store.sweep(0, worker.machine.now_ms(), 10, 0)
    worker.drain()
    (letter,) = letters(worker)
    assert (letter.state, letter.reason) == (State.PARKED, "poison")
    retry(worker, patient)
    worker.drain()
    assert (patient.states, len(patient.texts)) == ([State.SENT], 1)


def test_what_is_refused_once_more_is_a_dead_letter_once_more(worker: Worker) -> None:
    patient = refused(worker)
    patient.refused("refuse", code=21408)
    retry(worker, patient)
    worker.drain()
    (letter,) = letters(worker)
    assert (letter.state, letter.attempts) == (State.FAILED, 2)


def test_what_may_have_arrived_is_listed_and_never_sent_again(worker: Worker) -> None:
    patient = worker.enrol_by_mail()
    worker.mail.script({"at": "message", "do": "close", "accept": True})
    worker.drain_until(lambda: patient.history, "it is given up")
    (letter,) = letters(worker)
    assert (letter.state, letter.reason, letter.retriable) == (State.UNKNOWN, "no_answer", False)
    assert retry(worker, patient).outcome == "refused"
    assert list(worker.core.dead_letters.retry_all(source="test")) == []
    worker.drain()
    assert (patient.states, len(patient.mails)) == ([State.UNKNOWN], 1)


def test_what_is_not_useful_any_more_is_refused_with_the_reason(worker: Worker) -> None:
    patient = refused(worker)
    set_to(worker, datetime(2026, 3, 20, 20, tzinfo=UTC))
    answer = retry(worker, patient)
    assert answer.outcome == "refused"
    assert "stopped being useful" in answer.sentence
    assert [letter.id.index for letter in letters(worker)] == [0]
    worker.drain()
    assert State.FAILED in patient.states


def test_it_waits_for_the_hours_in_which_the_patient_may_be_texted(worker: Worker) -> None:
    patient = refused(worker)
    set_to(worker, datetime(2026, 3, 3, 9, tzinfo=UTC))  # one in the night
    assert retry(worker, patient).outcome == "retried"
    worker.drain()
    assert patient.texts == []
    set_to(worker, datetime(2026, 3, 3, 19, tzinfo=UTC))
    worker.drain()
    assert len(patient.texts) == 1


def test_who_has_left_gets_nothing_by_it(worker: Worker) -> None:
    patient = refused(worker)
    ledger = worker.core.suppressions
    ledger.suppress("sms", ledger.digest("sms", patient.phone), reason="stop", source="test")
    assert retry(worker, patient).outcome == "refused"
    worker.drain()
    assert patient.texts == []


def test_it_waits_while_the_subscription_is_paused(worker: Worker) -> None:
    patient = refused(worker)
    moved = worker.core.patients
    subscription = moved.load(patient.receipt.patient).subscription(1)
    assert subscription is not None
    moved.set_status(
        subscription, Status.PAUSED, allowed=[Status.ACTIVE], source="test", reason="staff"
    )
    assert retry(worker, patient).outcome == "retried"
    worker.drain()
    assert patient.texts == []
    moved.set_status(
        subscription, Status.ACTIVE, allowed=[Status.PAUSED], source="test", reason="staff"
    )
    worker.drain()
    assert len(patient.texts) == 1


def test_it_goes_after_the_step_that_is_under_way(worker: Worker) -> None:
    patient = refused(worker)
    patient.refused("busy", retry_after=1)
    worker.to_next_due()
    set_to(worker, datetime(2026, 3, 4, 20, 31, tzinfo=UTC))
    worker.core.dispatch_store.claim(0, worker.core.business.now_ms(), 1, 0)
    assert retry(worker, patient).outcome == "retried"
    worker.wait(10)
    worker.drain()  # the claim's lease has run out
    worker.wait(60)
    worker.drain()
    assert patient.states[0] is State.SENT
    assert [patient.texts.count(text) for text in set(patient.texts)] == [1] * len(patient.texts)


def test_all_of_one_patient_are_tried_again_and_nobody_elses(worker: Worker) -> None:
    patient, other = refused(worker), refused(worker)
    answers = list(
        worker.core.dead_letters.retry_all(source="test", patient=patient.receipt.patient)
    )
    assert [answer.outcome for answer in answers] == ["retried"]
    worker.drain()
    assert (len(patient.texts), len(other.texts)) == (1, 0)


def test_a_delivery_that_has_not_ended_is_none(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    with pytest.raises(NotFound):
        retry(worker, patient, index=5)
    with pytest.raises(NotFound):
        worker.core.dead_letters.some(10, "000000000000")


def test_the_oldest_leave_the_list_after_ninety_days(worker: Worker) -> None:
    first = refused(worker)
    set_to(worker, datetime(2026, 6, 20, 20, tzinfo=UTC))
    second = refused(worker)
    assert [letter.id.patient for letter in letters(worker)] == [second.receipt.patient]
    assert first.history[0].state == State.FAILED.code
