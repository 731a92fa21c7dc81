"""A worker dies or freezes at an exact point of a delivery: nothing is lost, nothing goes twice.

The wire to the store holds a request, or its answer, so that the worker stands still between two
of its steps; there it is killed, or frozen until its lease is over, and thawed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from service.carriers.base import MAX_AGE_S
from service.store.records import FlightState
from tests.integration.faults.patience import TEST_S, eventually
from tests.integration.faults.scene import Scene, Somebody, freeze, thaw
from tests.support.system import kill
from tests.support.wire import script

if TYPE_CHECKING:
    from tests.support.wire import Part

pytestmark = pytest.mark.timeout(TEST_S)


@pytest.mark.parametrize(("step", "part"), [("claim", "answer"), ("begin", "request")])
def test_what_a_killed_worker_had_not_begun_goes_out_once_by_another(
    scene: Scene, step: str, part: Part
) -> None:
    moment = scene.wire.hold(script(step), part)
    text, mail = scene.by_text(), scene.by_mail()
    worker = scene.worker(wired=True)
    moment.await_reached()
    kill(worker)
    scene.worker()
    for patient in (text, mail):
        assert patient.settled().attempts == 1
        assert (patient.states, patient.arrived) == ([State.SENT], 1)


def test_what_a_killed_worker_had_begun_and_not_sent_is_sent_by_nobody(scene: Scene) -> None:
    """Nobody can prove that it did not call, so its deliveries end as unknown."""
    moment = scene.wire.hold(script("begin"), "answer")
    text, mail = scene.by_text(), scene.by_mail()
    worker = scene.worker(wired=True)
    moment.await_reached()
    kill(worker)
    scene.worker()
    for patient in (text, mail):
        patient.settled()
        assert (patient.states, patient.arrived) == ([State.UNKNOWN], 0)


def test_a_worker_killed_before_the_providers_answer_came_is_settled_from_its_list(
    scene: Scene,
) -> None:
    patient = scene.by_text()
    scene.system.provider.script({"fault": "late_after", "seconds": 30, "to": patient.phone})
    worker = scene.worker()
    eventually(lambda: patient.arrived, "the provider has it, and has not answered")
    kill(worker)
    scene.worker()
    entry = patient.settled()
    assert (patient.states, entry.reason) == ([State.SENT], "found")
    assert entry.provider_id.startswith("SM")
    assert patient.arrived == 1


def test_a_worker_killed_before_it_recorded_what_was_accepted_sends_nothing_twice(
    scene: Scene,
) -> None:
    """The text is found in the provider's list; no mail server has one: the mail stays unknown."""
    moment = scene.wire.hold(script("begin"), "request")
    text, mail = scene.by_text(), scene.by_mail()
    worker = scene.worker(wired=True)
    moment.await_reached()
    record = scene.wire.hold(script("conclude"), "request")
    moment.release()
    record.await_reached()
    assert (text.arrived, mail.arrived) == (1, 1)
    kill(worker)
    scene.worker()
    text.settled()
    mail.settled()
    assert (text.states, mail.states) == ([State.SENT], [State.UNKNOWN])
    assert (text.arrived, mail.arrived) == (1, 1)


def test_a_worker_killed_after_its_record_was_written_changes_nothing_more(scene: Scene) -> None:
    moment = scene.wire.hold(script("begin"), "request")
    text, mail = scene.by_text(), scene.by_mail()
    worker = scene.worker(wired=True)
    moment.await_reached()
    record = scene.wire.hold(script("conclude"), "answer")
    moment.release()
    record.await_reached()
    kill(worker)
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])
    scene.worker()
    scene.by_text().settled()
    assert (text.arrived, mail.arrived) == (1, 1)
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])


def test_a_worker_frozen_past_its_lease_before_begin_may_not_send_when_it_thaws(
    scene: Scene,
) -> None:
    moment = scene.wire.hold(script("claim"), "answer")
    text, mail = scene.by_text(), scene.by_mail()
    frozen = scene.worker(wired=True)
    moment.await_reached()
    freeze(frozen)
    moment.release()
    scene.worker()
    text.settled()
    mail.settled()
    asked = scene.wire.hold(script("begin"), "answer")
    thaw(frozen)
    asked.await_reached()
    asked.release()
    scene.by_text().settled()
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])
    assert (text.arrived, mail.arrived) == (1, 1)


def test_a_worker_frozen_after_begin_sends_no_old_attempt_when_it_thaws(scene: Scene) -> None:
    """Its attempts are in question until it is back to say that it has not sent; then they go."""
    moment = scene.wire.hold(script("begin"), "answer")
    text, mail = scene.by_text(), scene.by_mail()
    frozen = scene.worker(wired=True, SETTLE_S="60")
    moment.await_reached()
    freeze(frozen)
    moment.release()
    scene.worker(SETTLE_S="60")
    eventually(
        lambda: _old_and_in_question(text) and _old_and_in_question(mail), "they are in question"
    )
    assert (text.arrived, mail.arrived) == (0, 0)
    thaw(frozen)
    for patient in (text, mail):
        patient.settled()
        assert (patient.states, patient.arrived) == ([State.SENT], 1)


def test_a_worker_frozen_until_its_attempt_was_given_up_neither_sends_nor_records(
    scene: Scene,
) -> None:
    moment = scene.wire.hold(script("begin"), "answer")
    text, mail = scene.by_text(), scene.by_mail()
    frozen = scene.worker(wired=True)
    moment.await_reached()
    freeze(frozen)
    moment.release()
    scene.worker()
    text.settled()
    mail.settled()
    eventually(lambda: moment.age_s() > MAX_AGE_S, "the attempts have grown old")
    told = scene.system.log("worker").count("late_record")
    thaw(frozen)
    eventually(
        lambda: scene.system.log("worker").count("late_record") == told + 2,
        "what it reports is refused",
    )
    assert (text.states, mail.states) == ([State.UNKNOWN], [State.UNKNOWN])
    assert (text.arrived, mail.arrived) == (0, 0)


def test_a_worker_frozen_with_its_call_under_way_ends_it_and_nobody_else_sends(
    scene: Scene,
) -> None:
    patient = scene.by_text()
    scene.system.provider.script({"fault": "late_after", "seconds": 0.5, "to": patient.phone})
    frozen = scene.worker(wired=True)
    eventually(lambda: patient.arrived, "the call is under way")
    freeze(frozen)
    scene.worker()
    entry = patient.settled()
    assert (patient.states, entry.reason) == ([State.SENT], "found")
    record = scene.wire.hold(script("conclude"), "answer")
    thaw(frozen)
    record.await_reached()
    assert (patient.states, patient.arrived) == ([State.SENT], 1)


def _old_and_in_question(patient: Somebody) -> bool:
    """Whether the lease of a patient's attempt is over, and the attempt too old to be sent."""
    flight, core = patient.flight, patient.system.core
    if flight is None or flight.state != FlightState.IN_QUESTION:
        return False
    attempt = core.dispatch_store.attempt(flight.attempt)
    assert attempt is not None
    return core.machine.now_ms() - attempt.begun_ms > MAX_AGE_S * 1000
