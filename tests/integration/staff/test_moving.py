"""A series that is moved to another day: the rest is planned anew, and nothing comes twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.clock import from_ms
from service.errors import InvalidInput, NotFound
from service.staff.subscriptions import NothingToChange
from tests.integration.staff.conftest import Desk

DAY = date(2026, 3, 3)


def due(desk: Desk, patient: str) -> list[tuple[str, date]]:
    return [
        (line.step, line.due.date())
        for line in desk.core.explain.explain(patient)
        if line.due is not None and line.step is not None
    ]


def test_every_step_that_is_left_moves_by_as_many_days(desk: Desk) -> None:
    ana = desk.enrol()
    before = due(desk, ana)
    moved = desk.core.moving.move(ana, 1, DAY + timedelta(days=10), source="staff:x")
    after = due(desk, ana)
    assert [step for step, _ in after] == [step for step, _ in before]
    assert all(
        now - then == timedelta(days=10)
        for (_, then), (_, now) in zip(before[1:], after[1:], strict=True)
    )
    assert [line.step for line in moved.coming] == [step for step, _ in after]


def test_a_preview_changes_nothing(desk: Desk) -> None:
    ana = desk.enrol()
    before = due(desk, ana)
    shown = desk.core.moving.preview(ana, 1, DAY + timedelta(days=10))
    assert shown.subscription.start == DAY + timedelta(days=10)
    assert due(desk, ana) == before


def test_what_was_sent_stays_sent_and_the_cursor_where_it_is(desk: Desk) -> None:
    ana = desk.enrol()
    desk.send_next(ana)
    assert desk.core.patients.load(ana).subscription(1).index == 1  # type: ignore[union-attr]
    desk.core.moving.move(ana, 1, DAY + timedelta(days=5), source="staff:x")
    subscription = desk.core.patients.load(ana).subscription(1)
    assert subscription is not None
    assert (subscription.index, subscription.start) == (1, DAY + timedelta(days=5))
    assert len(desk.core.patients.history(ana)) == 1


def test_a_claim_that_was_planned_by_the_old_day_is_void(desk: Desk) -> None:
    ana = desk.enrol()
    store, now_ms = desk.core.dispatch_store, desk.core.business.now_ms()
    (claimed,) = [
        claim
        for number in range(desk.core.partitions)
        for claim in store.claim(number, now_ms, 10, desk.core.machine.now_ms() + 60_000)
    ]
    desk.core.moving.move(ana, 1, DAY + timedelta(days=5), source="staff:x")
    again = desk.core.patients.load(ana).subscription(1)
    assert again is not None
    assert again.flight is None
    assert claimed.subscription.flight is not None


@pytest.mark.parametrize("ahead", [-1, 400])
def test_a_day_before_the_enrolment_or_far_ahead_is_refused(desk: Desk, ahead: int) -> None:
    ana = desk.enrol()
    with pytest.raises(InvalidInput, match="2026-03-03"):
        desk.core.moving.move(ana, 1, DAY + timedelta(days=ahead), source="staff:x")


def test_what_has_ended_or_begins_there_already_is_told(desk: Desk) -> None:
    ana = desk.enrol()
    with pytest.raises(NothingToChange):
        desk.core.moving.move(ana, 1, DAY, source="staff:x")
    desk.core.staff.leave(ana, 1, source="staff:x")
    with pytest.raises(NothingToChange, match="opted out"):
        desk.core.moving.move(ana, 1, DAY + timedelta(days=2), source="staff:x")
    with pytest.raises(NotFound):
        desk.core.moving.move(ana, 7, DAY + timedelta(days=2), source="staff:x")


def test_a_paused_series_stays_paused_when_it_is_moved(desk: Desk) -> None:
    ana = desk.enrol()
    until = DAY + timedelta(days=3)
    desk.core.staff.pause(ana, series=None, source="staff:x", until=until)
    desk.core.moving.move(ana, 1, DAY + timedelta(days=10), source="staff:x")
    subscription = desk.core.patients.load(ana).subscription(1)
    assert subscription is not None
    assert subscription.status == "p"
    assert subscription.until_ms is not None
    assert from_ms(subscription.until_ms).date() == until
