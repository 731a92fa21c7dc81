"""What the provider's own list proves: at once, late, for one phone in a family, or never."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schedules.delivery import State
from service.carriers.base import Receipt, ReceiptStatus
from service.store.keys import PartitionKeys
from service.store.records import Status
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Patient, Worker
from tests.support.polling import until


def pass_time(worker: Worker, seconds: int) -> None:
    """Let it pass in steps in which a worker looks again."""
    for _ in range(seconds // 5):
        worker.wait(5)
        worker.drain()


def settled(worker: Worker, *patients: Patient) -> None:
    worker.drain_until(lambda: all(p.history for p in patients), "all deliveries are settled")


def family(worker: Worker) -> tuple[Patient, Patient]:
    """Two on one phone, who get the same text at the same time."""
    first = worker.enrol_by_text()
    return first, worker.enrol_by_text(given_name="Ben", phone=first.phone)


def accepted(worker: Worker, patient: Patient) -> list[dict[str, Any]]:
    return [text for text in worker.provider.accepted() if text["to"] == patient.phone]


def dead_letters(worker: Worker) -> int:
    return int(worker.core.client.zcard(PartitionKeys(0).dead_letters))


def left_to_do(worker: Worker) -> int:
    return int(worker.core.client.zcard(PartitionKeys(0).afterwards))


def test_on_a_shared_phone_a_text_that_is_known_to_be_anothers_is_no_candidate(
    worker: Worker,
) -> None:
    first = worker.enrol_by_text()
    worker.drain()
    second = worker.enrol_by_text(given_name="Ben", phone=first.phone)
    second.refused("error_after")
    settled(worker, second)
    assert (first.states, second.states) == ([State.SENT], [State.SENT])
    assert first.history[0].provider_id != second.history[0].provider_id
    assert len(second.texts) == 2, "one each, and no third"


def test_on_a_shared_phone_anothers_text_proves_nothing_for_one_that_never_left(
    worker: Worker,
) -> None:
    first = worker.enrol_by_text()
    worker.drain()
    second = worker.enrol_by_text(given_name="Ben", phone=first.phone)
    second.refused("error_before")
    settled(worker, second)
    assert second.states == [State.UNKNOWN]
    pass_time(worker, 60)
    assert second.states == [State.UNKNOWN]
    assert len(second.texts) == 1


def test_two_open_questions_on_one_phone_are_not_settled_by_guessing(worker: Worker) -> None:
    patients = family(worker)
    for fault in ("error_after", "error_before"):
        patients[0].refused(fault)
    settled(worker, *patients)
    pass_time(worker, 60)
    assert [patient.states for patient in patients] == [[State.UNKNOWN]] * 2
    assert left_to_do(worker) == 2


def test_a_receipt_for_one_of_two_settles_the_other_by_exclusion(worker: Worker) -> None:
    first, second = family(worker)
    for _ in range(2):
        first.refused("error_after")
    settled(worker, first, second)
    sids = [text["sid"] for text in worker.provider.accepted() if text["to"] == first.phone]
    (attempt,) = [
        name for name, a in worker.attempts().items() if a.patient == first.receipt.patient
    ]
    worker.core.receipts.apply(Receipt(attempt, sids[0], ReceiptStatus.DELIVERED, "delivered"))
    assert first.states == [State.DELIVERED]
    pass_time(worker, 60)
    assert second.states == [State.SENT]
    assert dead_letters(worker) == 0


def three_lost(worker: Worker) -> list[Patient]:
    """Three on one phone, whose texts all arrived, and whose answers were all lost."""
    first, second = family(worker)
    third = worker.enrol_by_text(given_name="Cleo", phone=first.phone)
    for _ in range(3):
        first.refused("error_after")
    return [first, second, third]


def test_as_many_texts_as_open_questions_settle_all_of_them(worker: Worker) -> None:
    patients = three_lost(worker)
    settled(worker, *patients)
    pass_time(worker, 60)
    assert [patient.states for patient in patients] == [[State.SENT]] * 3
    sids = {patient.history[0].provider_id for patient in patients}
    assert sids == {text["sid"] for text in accepted(worker, patients[0])}
    assert len(accepted(worker, patients[0])) == 3
    assert dead_letters(worker) == 0


def test_of_texts_that_are_the_same_a_receipt_knows_better_which_is_whose(worker: Worker) -> None:
    patients = three_lost(worker)
    settled(worker, *patients)
    pass_time(worker, 60)
    of = {record.patient: name for name, record in worker.attempts().items()}
    sids = {patient.receipt.patient: patient.history[0].provider_id for patient in patients}
    first, second, third = (patient.receipt.patient for patient in patients)
    assert worker.report_of(of[first], sids[second], "delivered")
    assert worker.report_of(of[second], sids[third], "undelivered", "30005")
    assert worker.report_of(of[third], sids[first], "delivered")
    assert [patient.states for patient in patients] == [
        [State.DELIVERED],
        [State.UNDELIVERED],
        [State.DELIVERED],
    ]
    assert not worker.report_of(of[first], sids[third], "undelivered", "30005"), "it is certain"


def test_while_the_list_is_away_the_series_goes_on_and_the_proof_is_found_later(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(list_down=True)
    settled(worker, patient)
    assert patient.states == [State.UNKNOWN]
    assert patient.status is Status.ACTIVE
    assert dead_letters(worker) == 1
    pass_time(worker, 120)
    assert patient.states == [State.UNKNOWN]
    worker.provider.settings(list_down=False)
    pass_time(worker, 120)
    assert patient.states == [State.SENT]
    assert dead_letters(worker) == 0
    assert left_to_do(worker) == 0
    assert len(patient.texts) == 1


def test_a_list_that_shows_the_text_only_after_it_was_given_up_corrects_the_record(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    settled(worker, patient)
    pass_time(worker, 60)
    assert patient.states == [State.UNKNOWN]
    worker.provider.settings(hidden=0)
    pass_time(worker, 120)
    assert patient.states == [State.SENT]


def test_an_unknown_text_that_failed_after_all_is_recorded_so_and_not_sent_again(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(list_down=True)
    settled(worker, patient)
    (text,) = accepted(worker, patient)
    worker.provider.receipt(text["sid"], "undelivered", 30003)
    worker.provider.settings(list_down=False)
    pass_time(worker, 60)
    (entry,) = patient.history
    assert (entry.state, entry.code) == (State.UNDELIVERED.code, "30003")
    worker.to_next_due()
    worker.drain()
    assert entry.message not in {later.message for later in patient.history[1:]}


def test_a_text_that_is_still_queued_is_found_by_when_it_was_created(worker: Worker) -> None:
    """It has no date of sending yet."""
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    settled(worker, patient)
    assert [text["status"] for text in accepted(worker, patient)] == ["queued"]
    assert patient.states == [State.SENT]


@pytest.mark.parametrize("ahead_s", [-240, 0, 240])
def test_the_providers_clock_may_differ_from_ours(workers: Workers, ahead_s: int) -> None:
    worker = workers(settle_s=30)
    worker.provider.settings(ahead_ms=ahead_s * 1000)
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    settled(worker, patient)
    assert patient.states == [State.SENT]


def test_a_text_is_found_behind_pages_of_others(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.drain()
    with httpx.Client(auth=(ACCOUNT, TOKEN), trust_env=False) as client:
        url = f"{worker.provider.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        for number in range(450):
            form = {"To": patient.phone, "From": SENDER, "Body": f"Another {number}"}
            client.post(url, data=form).raise_for_status()
    settled(worker, patient)
    until(lambda: patient.states == [State.SENT], "found on the third page")


def test_a_patient_that_cannot_be_read_holds_no_other_question_up(worker: Worker) -> None:
    broken, other = worker.enrol_by_text(), worker.enrol_by_text()
    for patient in (broken, other):
        patient.refused("error_after")
    worker.provider.settings(list_down=True)
    settled(worker, broken, other)
    key = PartitionKeys(0).patient(broken.receipt.patient)
    worker.core.client.hset(key, "c", b"nonsense")
    worker.provider.settings(list_down=False)
    pass_time(worker, 60)
    assert (broken.states, other.states) == ([State.UNKNOWN], [State.SENT])
    assert left_to_do(worker) == 1
