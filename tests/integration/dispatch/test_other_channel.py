"""An address that fails for good: the message goes by the patient's other channel, once."""

from __future__ import annotations

import pytest

from schedules.delivery import State
from service.staff.details import Details
from service.store.flights import Conclusion
from service.store.records import Status
from service.store.tasks import Task, TaskKind
from tests.integration.dispatch.installation import Patient, Worker


def tasks_of(worker: Worker, patient: Patient) -> list[Task]:
    return [t for t in worker.core.tasks.waiting() if patient.receipt.patient in t.patients]


@pytest.mark.parametrize("code", [21211, 21614, 21635, 21610])
def test_a_text_refused_for_its_number_goes_as_an_e_mail(worker: Worker, code: int) -> None:
    patient = worker.enrol()
    patient.refused("refuse", code=code, status=400)
    worker.drain_until(lambda: patient.history, "it goes somehow")
    (entry,) = patient.history
    assert (entry.state, entry.channel, entry.attempts) == (State.SENT.code, "email", 2)
    assert (len(patient.texts), len(patient.mails)) == (0, 1)
    assert patient.status is Status.ACTIVE
    line = worker.core.explain.explain(patient.receipt.patient)[0]
    assert line.sentence.startswith("It was refused by text, and so it went by e-mail.")


@pytest.mark.parametrize("code", ["30005", "30006"])
def test_a_text_that_a_receipt_calls_undeliverable_goes_as_an_e_mail(
    worker: Worker, code: str
) -> None:
    patient = worker.enrol()
    worker.drain()
    assert patient.states == [State.SENT]
    assert worker.report(patient, "undelivered", code)
    worker.drain_until(lambda: patient.mails, "it goes by e-mail")
    (entry,) = patient.history
    assert (entry.state, entry.channel, entry.attempts) == (State.SENT.code, "email", 2)
    assert len(patient.texts) == 1


def test_copies_of_that_receipt_send_nothing_more(worker: Worker) -> None:
    patient = worker.enrol()
    worker.drain()
    sid = [t["sid"] for t in worker.provider.accepted() if t["to"] == patient.phone][-1]
    (attempt,) = [a for a, record in worker.attempts().items() if record.provider_id == sid]
    for _ in range(3):
        assert worker.report_of(attempt, sid, "undelivered", "30005")
    worker.drain_until(lambda: patient.mails, "it goes by e-mail")
    for _ in range(3):
        worker.report_of(attempt, sid, "undelivered", "30005")
        worker.drain()
    assert (len(patient.texts), len(patient.mails)) == (1, 1)


def test_a_receipt_that_belongs_to_another_message_suppresses_nobody(worker: Worker) -> None:
    patient = worker.enrol()
    worker.drain()
    (attempt,) = [a for a, r in worker.attempts().items() if r.patient == patient.receipt.patient]
    assert not worker.report_of(attempt, "SM" + "9" * 32, "undelivered", "30005")
    assert worker.core.patients.load(patient.receipt.patient).suppression("sms") is None


def test_an_e_mail_to_a_mailbox_that_does_not_exist_goes_as_a_text(worker: Worker) -> None:
    patient = worker.enrol()
    worker.drain()
    worker.to_next_due()  # the second step prefers e-mail
    worker.mail.script({"at": "RCPT", "reply": "550 5.1.1 no such user"})
    worker.drain_until(lambda: len(patient.history) == 2, "the second step goes somehow")
    assert (len(patient.texts), len(patient.mails)) == (2, 0)


def test_where_both_addresses_fail_the_patient_is_unreachable_and_staff_are_told(
    worker: Worker,
) -> None:
    patient = worker.enrol()
    patient.refused("refuse", code=21614, status=400)
    worker.mail.script({"at": "RCPT", "reply": "550 5.1.1 no such user"})
    worker.drain_until(lambda: patient.status is Status.UNREACHABLE, "no channel is left")
    (entry,) = patient.history
    assert entry.state == State.FAILED.code
    (task,) = tasks_of(worker, patient)
    assert task.kind is TaskKind.UNREACHABLE
    worker.drain()
    assert len(tasks_of(worker, patient)) == 1


def test_who_has_texts_only_is_unreachable_at_once(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    worker.drain()
    worker.report(patient, "undelivered", "30005")
    assert patient.status is Status.UNREACHABLE
    assert patient.states == [State.UNDELIVERED]
    assert [task.kind for task in tasks_of(worker, patient)] == [TaskKind.UNREACHABLE]


def test_who_opted_out_at_the_provider_is_no_task_for_staff(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("refuse", code=21610, status=400)
    worker.drain_until(lambda: patient.status is Status.OPTED_OUT, "the opt-out is followed")
    assert tasks_of(worker, patient) == []


def test_who_prefers_texts_gets_the_e_mail_where_their_number_is_none(worker: Worker) -> None:
    patient = worker.enrol()
    worker.core.details.change(patient.receipt.patient, Details(prefers="sms"), source="test")
    patient.refused("refuse", code=21211, status=400)
    worker.drain_until(lambda: patient.history, "it goes somehow")
    assert [entry.channel for entry in patient.history] == ["email"]


def test_a_series_that_is_left_while_its_last_message_is_under_way_stays_left(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    identifier = patient.receipt.patient
    lease_ms = worker.core.machine.now_ms() + 60_000
    (claimed,) = worker.core.dispatch_store.claim(0, worker.core.business.now_ms(), 10, lease_ms)
    assert worker.core.staff.leave(identifier, 1, source="page")
    worker.core.dispatch_store.conclude([Conclusion(f"{identifier}.1", claimed.token, "c", "end")])
    assert patient.status is Status.OPTED_OUT
