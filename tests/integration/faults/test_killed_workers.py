"""A worker dies at an exact point of a delivery: nothing is lost, nothing goes twice.

The wire to the store holds a request, or its answer, so that the worker stands still between two
of its steps; there it is killed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.delivery import State
from tests.integration.faults.patience import TEST_S, eventually
from tests.integration.faults.scene import Scene
from tests.support.system import kill
from tests.support.wire import record, script

if TYPE_CHECKING:
    from tests.support.wire import Part

pytestmark = pytest.mark.timeout(TEST_S)


@pytest.mark.parametrize(
    ("needle", "part"),
    [(script("claim"), "answer"), (record(0), "answer"), (script("begin"), "request")],
    ids=["claimed", "read", "begins"],
)
def test_what_a_killed_worker_had_not_begun_goes_out_once_by_another(
    scene: Scene, needle: bytes, part: Part
) -> None:
    caught = scene.catch(needle, part)
    text, mail = caught.text, caught.mail
    kill(caught.worker)
    scene.worker()
    for patient in (text, mail):
        assert patient.settled().attempts == 1
        assert (patient.states, patient.arrived) == ([State.SENT], 1)


def test_what_a_killed_worker_had_begun_and_not_sent_is_sent_by_nobody(scene: Scene) -> None:
    """Nobody can prove that it did not call, so its deliveries end as unknown."""
    caught = scene.catch(script("begin"), "answer")
    text, mail = caught.text, caught.mail
    kill(caught.worker)
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
    caught = scene.catch(script("begin"), "request")
    text, mail = caught.text, caught.mail
    record = scene.wire.hold(script("conclude"), "request")
    caught.moment.release()
    record.await_reached()
    assert (text.arrived, mail.arrived) == (1, 1)
    kill(caught.worker)
    scene.worker()
    text.settled()
    mail.settled()
    assert (text.states, mail.states) == ([State.SENT], [State.UNKNOWN])
    assert (text.arrived, mail.arrived) == (1, 1)


def test_a_worker_killed_after_its_record_was_written_changes_nothing_more(scene: Scene) -> None:
    caught = scene.catch(script("begin"), "request")
    text, mail = caught.text, caught.mail
    record = scene.wire.hold(script("conclude"), "answer")
    caught.moment.release()
    record.await_reached()
    kill(caught.worker)
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])
    scene.worker()
    scene.by_text().settled()
    assert (text.arrived, mail.arrived) == (1, 1)
    assert (text.states, mail.states) == ([State.SENT], [State.SENT])
