"""Texts that are over are forgotten by the provider: never before, and however often it takes."""

from __future__ import annotations

import httpx
import pytest

from schedules.delivery import State
from service.dispatch.afterwards import REDACT_AGAIN_MS
from service.store.keys import PartitionKeys
from tests.fakes.provider import ACCOUNT, TOKEN
from tests.integration.dispatch.installation import Patient, Worker


def left_to_do(worker: Worker) -> int:
    return int(worker.core.client.zcard(PartitionKeys(0).afterwards))


def kept_by_the_provider(worker: Worker, patient: Patient) -> list[str]:
    """The texts to a phone as the provider has them now, oldest first."""
    url = f"{worker.provider.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    with httpx.Client(auth=(ACCOUNT, TOKEN), trust_env=False) as client:
        listed = client.get(url, params={"To": patient.phone}).raise_for_status().json()
    return [message["body"] for message in reversed(listed["messages"])]


def sent(worker: Worker) -> Patient:
    patient = worker.enrol_by_text()
    worker.drain()
    assert patient.states == [State.SENT]
    return patient


@pytest.mark.parametrize(
    ("status", "code"), [("delivered", ""), ("undelivered", "30005"), ("failed", "30003")]
)
def test_a_text_is_redacted_once_a_receipt_says_that_it_is_over(
    worker: Worker, status: str, code: str
) -> None:
    patient = sent(worker)
    worker.report(patient, "sent")
    worker.drain()
    assert kept_by_the_provider(worker, patient) == patient.texts, "it is still on its way"
    worker.report(patient, status, code)
    worker.drain()
    assert kept_by_the_provider(worker, patient) == [""]
    assert left_to_do(worker) == 0
    before = worker.provider.requests()
    worker.report(patient, status, code)
    worker.drain()
    assert worker.provider.requests() == before, "once"


def test_what_may_have_arrived_keeps_its_text_since_it_is_found_by_it(worker: Worker) -> None:
    patient = sent(worker)
    worker.report(patient, "undelivered", "30008")
    worker.drain()
    assert patient.states == [State.UNKNOWN]
    assert kept_by_the_provider(worker, patient) == patient.texts


def test_a_text_in_question_keeps_its_text_until_it_is_settled(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.drain_until(lambda: patient.history, "it is settled")
    assert patient.states == [State.SENT]
    worker.drain()
    assert kept_by_the_provider(worker, patient) == patient.texts
    worker.report(patient, "delivered")
    worker.drain()
    assert kept_by_the_provider(worker, patient) == [""]


def test_a_receipt_that_came_before_the_record_has_it_redacted_after_it(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    worker.drain()
    ((name, _),) = worker.attempts().items()
    sid = worker.provider.accepted()[-1]["sid"]
    worker.report_of(name, sid, "delivered")
    worker.wait(5)
    worker.drain()
    worker.provider.settings(hidden=0)
    assert patient.states == [State.DELIVERED]
    assert kept_by_the_provider(worker, patient) == [""]


def test_a_provider_that_does_not_redact_yet_is_asked_again(worker: Worker) -> None:
    patient = sent(worker)
    worker.report(patient, "delivered")
    worker.provider.script({"fault": "error_before", "status": 409, "times": 2})
    for _ in range(2):
        worker.drain()
        assert kept_by_the_provider(worker, patient) == patient.texts
        assert left_to_do(worker) == 1
        worker.drain()
        worker.wait(REDACT_AGAIN_MS / 1000 + 1)
    worker.drain()
    assert kept_by_the_provider(worker, patient) == [""]


def test_many_are_redacted_over_several_drains(worker: Worker) -> None:
    patients = [sent(worker) for _ in range(40)]
    for patient in patients:
        worker.report(patient, "delivered")
    worker.drain()
    assert 0 < left_to_do(worker) < 40
    worker.drain()
    assert left_to_do(worker) == 0
    assert all(kept_by_the_provider(worker, patient) == [""] for patient in patients)
