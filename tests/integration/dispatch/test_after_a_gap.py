"""Opt-outs that were texted while the service was down are applied before sending resumes."""

from __future__ import annotations

from service.dispatch.tick import GAP_MS
from service.store import keys
from tests.fakes.provider import RunningProvider
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker


def after_a_silence(worker: Worker) -> None:
    """Beat ticks again after it had been silent for longer than a gap takes."""
    worker.core.client.set(keys.LAST_TICK, worker.core.machine.now_ms() - GAP_MS - 1_000)
    worker.core.ticker(lambda _: None).tick()
    assert worker.core.client.exists(keys.GAP)


def test_a_stop_texted_during_a_gap_counts_before_the_first_send_after_it(
    worker: Worker, provider: RunningProvider
) -> None:
    leaving = worker.enrol_by_text()
    staying = worker.enrol_by_text()
    after_a_silence(worker)
    provider.text(leaving.phone, "STOP")  # nobody listens: there is no webhook
    worker.drain()
    assert leaving.texts == []
    assert leaving.status.word == "opted_out"
    assert len(staying.texts) == 1
    assert not worker.core.client.exists(keys.GAP)


def test_a_look_just_before_a_gap_does_not_hold_up_the_look_after_it(worker: Worker) -> None:
    first = worker.enrol_by_text()
    worker.drain()
    assert len(first.texts) == 1
    after_a_silence(worker)
    second = worker.enrol_by_text()
    worker.drain()
    assert len(second.texts) == 1
    assert not worker.core.client.exists(keys.GAP)


def test_nothing_is_sent_after_a_gap_while_the_list_of_inbound_texts_cannot_be_read(
    worker: Worker, provider: RunningProvider
) -> None:
    patient = worker.enrol_by_text()
    after_a_silence(worker)
    provider.script({"fault": "error_before", "on": "list", "times": 2})
    worker.drain()
    worker.drain()
    assert patient.texts == []
    assert worker.core.client.exists(keys.GAP)
    worker.drain_until(lambda: patient.texts, "it goes once the list can be read")
    assert len(patient.texts) == 1


def test_without_a_gap_a_list_that_cannot_be_read_holds_nothing_up(
    worker: Worker, provider: RunningProvider
) -> None:
    patient = worker.enrol_by_text()
    provider.script({"fault": "error_before", "on": "list"})
    worker.drain()
    assert len(patient.texts) == 1


def test_a_web_part_that_is_down_alone_loses_no_stop(
    workers: Workers, provider: RunningProvider
) -> None:
    worker = workers()
    patient = worker.enrol_by_text()
    worker.drain()
    assert len(patient.texts) == 1
    provider.text(patient.phone, "STOP")
    another = workers()  # its first look at the list
    worker.core.client.delete(keys.LISTENING)  # the last reader's turn is over
    another.drain()
    assert patient.status.word == "opted_out"
