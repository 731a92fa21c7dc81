"""What far ends do to a message, and what becomes of its delivery: not lost, not doubled."""

from __future__ import annotations

import pytest

from schedules.delivery import State
from service.store.records import Status
from service.store.scripts import as_text
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Patient, Worker
from tests.support.polling import until
from tests.support.servers import free_port

ACCEPTED_UNSEEN = ["hang_after", "error_after", "close_after", "cut_after", "garbage_after"]


def settled(worker: Worker, patient: Patient) -> None:
    worker.drain_until(lambda: patient.history, "the delivery is settled")


@pytest.mark.parametrize("fault", ACCEPTED_UNSEEN)
def test_a_text_whose_answer_is_lost_is_found_in_the_list_and_not_sent_again(
    workers: Workers, fault: str
) -> None:
    worker = workers(settle_s=30)
    patient = worker.enrol()
    patient.refused(fault, seconds=2)
    settled(worker, patient)
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.reason) == (State.SENT, "found")
    assert entry.provider_id.startswith("SM")
    assert len(patient.texts) == 1


@pytest.mark.parametrize("fault", ["close_before", "error_before"])
def test_a_text_that_nobody_has_is_unknown_in_the_end_and_never_sent_again(
    worker: Worker, fault: str
) -> None:
    patient = worker.enrol()
    patient.refused(fault)
    settled(worker, patient)
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.reason) == (State.UNKNOWN, "no_answer")
    assert patient.texts == []
    worker.wait(3_600)
    worker.drain()
    assert patient.texts == []
    assert patient.status is Status.ACTIVE, "the series goes on"


def test_a_list_that_lags_is_asked_again_until_it_shows_the_text(workers: Workers) -> None:
    worker = workers(settle_s=600)
    patient = worker.enrol()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    for _ in range(3):
        worker.drain()
        worker.wait(5)
    assert patient.history == []
    worker.provider.settings(hidden=0)
    settled(worker, patient)
    assert patient.states == [State.SENT]
    assert len(patient.texts) == 1


def test_a_list_that_cannot_be_read_is_asked_again(workers: Workers) -> None:
    worker = workers(settle_s=600)
    patient = worker.enrol()
    patient.refused("error_after")
    worker.provider.script({"on": "list", "to": patient.phone, "fault": "error_before"})
    worker.drain()
    worker.wait(5)
    settled(worker, patient)
    assert patient.states == [State.SENT]


def test_a_provider_that_refuses_connections_is_tried_again(workers: Workers) -> None:
    astray = workers(twilio_api_base_url=f"http://127.0.0.1:{free_port()}")
    patient = astray.enrol()
    for _ in range(3):
        astray.drain()
        astray.wait(1)
    assert patient.history == []
    worker = workers()
    worker.wait(1_000)
    settled(worker, patient)
    assert patient.states == [State.SENT]
    (entry,) = patient.history
    assert entry.attempts > 1
    assert len(patient.texts) == 1


def test_an_opt_out_at_the_provider_becomes_one_of_ours(worker: Worker) -> None:
    by_text = worker.enrol_by_text()
    on_the_same_phone = worker.enrol(given_name="Ben", phone=by_text.phone)
    worker.provider.script({"fault": "refuse", "code": 21610, "to": by_text.phone, "times": 2})
    worker.drain()
    assert (by_text.states, by_text.history[0].code) == ([State.FAILED], "21610")
    assert by_text.status is Status.OPTED_OUT
    assert on_the_same_phone.status is Status.ACTIVE
    for _ in range(3):
        worker.to_next_due()
        worker.drain()
    assert by_text.texts == []
    assert len(on_the_same_phone.mails) >= 1
    assert {entry.channel for entry in on_the_same_phone.history[1:]} == {"email"}


def test_a_number_that_is_none_leaves_the_series_to_e_mail(worker: Worker) -> None:
    patient = worker.enrol()
    patient.refused("refuse", code=21211)
    worker.drain()
    assert patient.states == [State.SENT], "the same message goes as an e-mail"
    for _ in range(2):
        worker.to_next_due()
        worker.drain()
    assert [entry.channel for entry in patient.history] == ["email"] * 3
    assert len(patient.mails) == 3
    assert patient.texts == []
    alone = worker.enrol_by_text()
    alone.refused("refuse", code=21211)
    worker.drain()
    assert alone.status is Status.UNREACHABLE


def test_a_mail_server_that_says_later_gets_it_later(worker: Worker) -> None:
    patient = worker.enrol_by_mail()
    worker.mail.script({"at": "RCPT", "reply": "450 4.2.0 greylisted"})
    worker.drain()
    assert (patient.history, patient.mails) == ([], [])
    worker.wait(60)
    settled(worker, patient)
    assert patient.states == [State.SENT]
    assert len(patient.mails) == 1


def test_a_mailbox_that_is_none_fails_and_is_not_written_to_again(worker: Worker) -> None:
    patient = worker.enrol_by_mail()
    worker.mail.script({"at": "RCPT", "reply": "550 5.1.1 no such user"})
    worker.drain()
    assert (patient.states, patient.history[0].code) == ([State.FAILED], "550 5.1.1")
    assert patient.status is Status.UNREACHABLE


@pytest.mark.parametrize("accept", [True, False])
def test_a_mail_lost_at_its_end_is_unknown_and_never_sent_again(
    worker: Worker, *, accept: bool
) -> None:
    patient = worker.enrol_by_mail()
    worker.mail.script({"at": "message", "do": "close", "accept": accept})
    settled(worker, patient)
    assert patient.states == [State.UNKNOWN]
    worker.wait(3_600)
    worker.drain()
    assert len(patient.mails) == int(accept)


def test_a_receipt_settles_what_no_list_shows(workers: Workers) -> None:
    worker = workers(settle_s=600)
    patient = worker.enrol()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    worker.drain()
    (attempt,) = _attempts(worker)
    assert worker.core.dispatch_store.receive(attempt, State.DELIVERED.code, 4, "SM9", None)
    worker.wait(5)
    settled(worker, patient)
    (entry,) = patient.history
    assert (State.from_code(entry.state), entry.reason) == (State.DELIVERED, "receipt")
    assert entry.provider_id == "SM9"


def _attempts(worker: Worker) -> list[str]:
    return [as_text(key).rpartition(":")[2] for key in worker.core.client.keys("{p0}:t:*")]


def test_many_questions_are_asked_at_once(workers: Workers) -> None:
    worker = workers(settle_s=600)
    patients = [worker.enrol_by_text() for _ in range(12)]
    worker.provider.script(
        *({"fault": "error_after", "to": patient.phone} for patient in patients),
        *(
            {"on": "list", "to": patient.phone, "fault": "delay", "seconds": 0.5}
            for patient in patients
        ),
    )
    worker.drain()
    assert all(patient.history == [] for patient in patients)
    worker.drain()
    until(lambda: all(patient.states == [State.SENT] for patient in patients), "settled at once")
