"""Senders that wait, or that their provider refuses: nothing lost, one probe at a time."""

from __future__ import annotations

import time
from pathlib import Path

from schedules.delivery import State
from service.store.rates import PROBE_MS
from tests.fakes.provider import SENDER
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker
from tests.support.polling import until
from tests.support.system import running_system


def listening(worker: Worker) -> Worker:
    """It has read the list of what was texted to us, which is a request as well."""
    worker.drain()
    return worker


def is_stopped(worker: Worker) -> bool:
    return worker.core.stores.rates.record(SENDER).stopped_ms is not None


def test_a_busy_provider_is_left_alone_by_every_worker_until_the_time_it_named(
    workers: Workers,
) -> None:
    worker, other = workers(in_flight=1), workers(in_flight=1)
    worker.drain()
    other.drain()  # both have read the list of what was texted to us
    patients = [worker.enrol_by_text() for _ in range(4)]
    worker.provider.script({"fault": "busy", "retry_after": 20})
    before = worker.provider.requests()
    worker.drain()
    assert worker.provider.requests() == before + 1, "the rest of the batch waits as well"
    other.drain()
    late = other.enrol_by_text()
    other.drain()
    assert worker.provider.requests() == before + 1
    worker.wait(25)
    worker.drain_until(
        lambda: all(patient.history for patient in [*patients, late]), "all are sent"
    )
    assert [len(patient.texts) for patient in [*patients, late]] == [1] * 5


def test_two_worker_processes_leave_a_busy_provider_alone_together(tmp_path: Path) -> None:
    with running_system(
        tmp_path, clock="fast:1@2026-03-02T20:00:00", processes=(), IN_FLIGHT="1", PARTITIONS="8"
    ) as system:
        contacts = {"email": "", "email_consent": ""}
        receipts = [system.enrol(number, **contacts) for number in range(24)]
        system.provider.script({"fault": "busy", "retry_after": 3})
        for _ in range(2):
            system.start("worker", settings={"WORKER_PROCESSES": "1"})
        system.start("beat")
        until(lambda: not system.provider.scripts(), "one is told to wait", limit_s=60)
        noticed_ms = time.time() * 1000
        histories = system.core.patients.history
        until(lambda: all(histories(r.patient) for r in receipts), "all are sent", limit_s=60)
        accepted = [text["created_ms"] - noticed_ms for text in system.provider.accepted()]
        assert len(accepted) == len(receipts)
        meanwhile = [ms for ms in accepted if 0 < ms < 2_000]
        assert len(meanwhile) <= 1, "the other one had a text under way"


def test_a_sender_that_is_refused_holds_all_its_texts_and_then_sends_them(
    workers: Workers,
) -> None:
    worker, other = listening(workers(in_flight=1)), listening(workers(in_flight=1))
    patients = [worker.enrol_by_text() for _ in range(6)]
    by_mail = worker.enrol_by_mail()
    worker.provider.script({"fault": "refuse", "code": 20003, "status": 401, "times": 3})
    before = worker.provider.requests()
    worker.drain()
    other.drain()
    assert worker.provider.requests() == before + 1
    assert is_stopped(worker)
    assert [patient.history for patient in patients] == [[]] * 6
    assert by_mail.states == [State.SENT], "the other channel goes on"
    while is_stopped(worker):
        before = worker.provider.requests()
        for each in (worker, other):
            each.wait(PROBE_MS / 1000 + 1)
        for each in (worker, other):
            each.drain()
        probes = worker.provider.requests() - before
        assert probes <= 1 or not is_stopped(worker)
    worker.drain_until(lambda: all(p.history for p in patients), "all are sent")
    assert not is_stopped(worker)
    assert [len(patient.texts) for patient in patients] == [1] * 6
    assert {entry.attempts for patient in patients for entry in patient.history} == {1}
