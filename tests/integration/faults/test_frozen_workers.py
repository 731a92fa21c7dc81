"""A worker freezes at an exact point of a delivery, and thaws when its lease is over.

The wire to the store holds a request, or its answer, so that the worker stands still between two
of its steps; there it is frozen. Nothing is lost, nothing goes twice.
"""

from __future__ import annotations

import pytest

from schedules.delivery import State
from service.carriers.base import MAX_AGE_S
from service.store.records import FlightState
from tests.integration.faults.patience import TEST_S, eventually
from tests.integration.faults.scene import Scene, Somebody, freeze, thaw
from tests.support.wire import record, script

pytestmark = pytest.mark.timeout(TEST_S)


def test_a_worker_frozen_past_its_lease_before_begin_may_not_send_when_it_thaws(
    scene: Scene,
) -> None:
    caught = scene.catch_and_freeze(record(0), "answer")
    text, mail = caught.text, caught.mail
    text.settled()
    mail.settled()
    asked = scene.wire.hold(script("begin"), "answer")
    thaw(caught.worker)
    asked.await_reached()
    asked.release()
    scene.by_text().settled()
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])
    assert (text.arrived, mail.arrived) == (1, 1)


def test_a_worker_frozen_after_begin_sends_no_old_attempt_when_it_thaws(scene: Scene) -> None:
    """Its attempts are in question until it is back to say that it has not sent; then they go."""
    caught = scene.catch_and_freeze(script("begin"), "answer", SETTLE_S="60")
    text, mail = caught.text, caught.mail
    eventually(
        lambda: _old_and_in_question(text) and _old_and_in_question(mail), "they are in question"
    )
    assert (text.arrived, mail.arrived) == (0, 0)
    thaw(caught.worker)
    for patient in (text, mail):
        patient.settled()
        assert (patient.states, patient.arrived) == ([State.SENT], 1)


def test_a_worker_frozen_until_its_attempt_was_given_up_neither_sends_nor_records(
    scene: Scene,
) -> None:
    caught = scene.catch_and_freeze(script("begin"), "answer")
    text, mail = caught.text, caught.mail
    text.settled()
    mail.settled()
    eventually(lambda: caught.moment.age_s() > MAX_AGE_S, "the attempts have grown old")
    told = scene.system.log("worker").count("late_record")
    thaw(caught.worker)
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
