"""A message that staff send by hand leaves by a worker, once, and counts as the day's."""

from __future__ import annotations

import pytest

from schedules.reasons import Reason
from service.staff.addresses import NewAddress
from service.staff.one_message import NotNow
from tests.integration.dispatch.installation import Patient, Worker


def send(worker: Worker, patient: Patient, message: str = "walking") -> None:
    worker.core.one_message.send(patient.receipt.patient, message, "sms", source="staff:x")


def settled(worker: Worker) -> Patient:
    """A patient by text, whose welcome is over."""
    patient = worker.enrol_by_text()
    worker.drain()
    return patient


def test_it_leaves_at_once_and_the_series_goes_on_another_day(worker: Worker) -> None:
    patient = settled(worker)
    before = len(patient.texts)
    send(worker, patient)
    send(worker, patient)
    worker.drain()
    assert len(patient.texts) == before + 1
    assert "Put on your shoes" in patient.texts[-1]
    lines = worker.core.explain.explain(patient.receipt.patient)
    waiting = next(line for line in lines if line.outcome == "planned" and line.due)
    assert waiting.due is not None
    sent = worker.core.patients.load(patient.receipt.patient).recent_drips()
    assert waiting.due.date() not in sent, "no day has two"


def test_a_day_that_has_had_its_message_gets_no_other(worker: Worker) -> None:
    patient = settled(worker)
    while not worker.core.patients.load(patient.receipt.patient).recent_drips():
        worker.to_next_due()
        worker.drain()
    count = len(patient.texts)
    with pytest.raises(NotNow) as told:
        send(worker, patient)
    assert told.value.reason is Reason.DAILY_CAP
    worker.drain()
    assert len(patient.texts) == count


def test_a_stop_that_comes_in_between_holds_it_back(worker: Worker) -> None:
    patient = settled(worker)
    before = len(patient.texts)
    send(worker, patient)
    digest = worker.core.suppressions.digest("sms", patient.phone)
    worker.core.suppressions.suppress("sms", digest, reason="stop", source="test")
    worker.drain()
    assert len(patient.texts) == before


def test_what_no_worker_sends_in_time_is_not_sent_late(worker: Worker) -> None:
    patient = settled(worker)
    before = len(patient.texts)
    send(worker, patient)
    worker.wait(1000)
    worker.drain()
    assert len(patient.texts) == before


def test_after_a_corrected_address_the_series_goes_to_the_new_one_alone(worker: Worker) -> None:
    patient = settled(worker)
    before = len(patient.texts)
    new = "+15035559876"
    worker.core.corrected_addresses.correct(
        patient.receipt.patient,
        NewAddress(channel="sms", address=new, consent="verbal", wording="2026-11"),
        source="staff:x",
    )
    for _ in range(3):
        worker.to_next_due()
        worker.drain()
    assert len(patient.texts) == before
    assert [text for text in worker.provider.accepted() if text["to"] == new]
