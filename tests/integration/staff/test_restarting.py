"""A stop that staff made by mistake is undone, for a week; never a patient's own."""

from __future__ import annotations

import pytest

from service.enrolment.enrol import AlreadyEnrolled
from service.errors import NotFound
from service.reporting.events import Event
from service.staff.restarting import WITHIN_MS, StopStands, undoable_until
from service.staff.subscriptions import NothingToChange
from service.store.records import Status, Subscription
from tests.integration.staff.conftest import Desk

NURSE = "staff:x"


def subscription(desk: Desk, patient: str, number: int = 1) -> Subscription:
    found = desk.core.patients.load(patient).subscription(number)
    assert found is not None
    return found


def offered(desk: Desk, patient: str, number: int = 1) -> bool:
    """Whether a page offers it, which is to be so exactly where it is done."""
    fields = desk.core.patients.load(patient)
    now_ms = desk.core.business.now_ms()
    until_ms = undoable_until(fields, subscription(desk, patient, number), now_ms)
    assert until_ms is None or now_ms <= until_ms <= now_ms + WITHIN_MS
    return until_ms is not None


def stop(desk: Desk, patient: str, number: int = 1) -> None:
    assert desk.core.staff.leave(patient, number, source=NURSE, undoable=True)


def stands(desk: Desk, patient: str, number: int = 1) -> str:
    """Why a stop is not undone."""
    with pytest.raises(StopStands) as raised:
        desk.core.restarting.restart(patient, number, source=NURSE)
    assert not offered(desk, patient, number)
    return raised.value.why


def test_it_goes_on_where_it_was_and_the_timeline_says_who_did_it(desk: Desk) -> None:
    ana = desk.enrol()
    desk.send_next(ana)
    before = [line.step for line in desk.core.explain.explain(ana) if line.ended is None]
    desk.later(hours=1)
    stop(desk, ana)
    assert offered(desk, ana)
    desk.later(hours=1)
    assert desk.core.restarting.restart(ana, 1, source="staff:y") == f"{ana}.1"
    assert subscription(desk, ana).status is Status.ACTIVE
    after = [line.step for line in desk.core.explain.explain(ana) if line.ended is None]
    assert after == before
    newest, older, *_ = desk.core.timeline.of(ana).told
    assert isinstance(newest, Event)
    assert isinstance(older, Event)
    assert (newest.outcome, newest.by, older.outcome) == ("restarted", "staff:y", "left")
    assert stands(desk, ana) == "going"


def test_what_the_patient_left_on_their_page_stands(desk: Desk) -> None:
    ana = desk.enrol()
    desk.core.staff.leave(ana, 1, source="page")
    assert stands(desk, ana) == "final"


def test_an_opt_out_since_stands_and_so_does_the_stop(desk: Desk) -> None:
    ana = desk.enrol()
    stop(desk, ana)
    desk.core.choices.stop(ana, "email")
    assert stands(desk, ana) == "final"
    assert desk.core.choices.undo(ana, "email")
    assert stands(desk, ana) == "final"


def test_after_a_week_the_patient_is_asked_and_enrolled_anew(desk: Desk) -> None:
    ana = desk.enrol()
    stop(desk, ana)
    desk.later(days=7, hours=1)
    assert stands(desk, ana) == "late"
    added = desk.core.enrolling.add(ana, "restless-legs", "", source=NURSE)
    assert added.subscription == f"{ana}.2"
    assert stands(desk, ana) == "late"


def test_who_was_enrolled_anew_is_not_in_the_series_twice(desk: Desk) -> None:
    ana = desk.enrol()
    stop(desk, ana)
    desk.core.enrolling.add(ana, "restless-legs", "", source=NURSE)
    assert stands(desk, ana) == "again"


def test_who_goes_on_in_a_series_is_not_enrolled_in_it_anew(desk: Desk) -> None:
    ana = desk.enrol()
    stop(desk, ana)
    desk.core.restarting.restart(ana, 1, source=NURSE)
    with pytest.raises(AlreadyEnrolled):
        desk.core.enrolling.add(ana, "restless-legs", "", source=NURSE)


def test_where_nothing_reaches_the_patient_an_address_is_corrected_first(desk: Desk) -> None:
    ana = desk.enrol(email="", email_consent="")
    stop(desk, ana)
    known = desk.core.patients.contact(desk.core.patients.load(ana)).phone
    assert known
    digest = desk.core.suppressions.digest("sms", known)
    desk.core.suppressions.suppress("sms", digest, reason="invalid", source="carrier:30005")
    assert stands(desk, ana) == "silent"


def test_of_a_series_the_latest_is_meant_and_one_that_never_was_is_told(desk: Desk) -> None:
    ana = desk.enrol()
    restarting = desk.core.restarting
    with pytest.raises(NothingToChange, match="not stopped"):
        restarting.restart_series(ana, "restless-legs", source="cli:ida")
    stop(desk, ana)
    assert restarting.restart_series(ana, "restless-legs", source="cli:ida") == f"{ana}.1"
    with pytest.raises(NotFound, match="Theirs: restless-legs"):
        restarting.restart_series(ana, "sleep-hygiene", source="cli:ida")
    with pytest.raises(NotFound):
        restarting.restart(ana, 7, source=NURSE)


def test_somebody_who_was_erased_is_nobody(desk: Desk) -> None:
    ana = desk.enrol()
    stop(desk, ana)
    desk.core.erasure.erase(ana, source=NURSE)
    with pytest.raises(NotFound):
        desk.core.restarting.restart(ana, 1, source=NURSE)
