"""What happened to a patient, a fortnight at a time, the newest first."""

from __future__ import annotations

from datetime import date, timedelta

from service.reporting.events import Event
from service.reporting.lines import Line
from service.staff.timeline import DAYS, Stretch
from service.store.keys import PartitionKeys, partition_of
from tests.integration.staff.conftest import Desk

DAY = date(2026, 3, 3)


def told(stretch: Stretch) -> list[str]:
    return [each.kind if isinstance(each, Event) else each.outcome for each in stretch.told]


def test_deliveries_consents_and_what_staff_did_stand_in_their_order(desk: Desk) -> None:
    ana = desk.enrol()
    desk.send_next(ana)
    desk.later(hours=1)
    desk.core.staff.pause(ana, series=None, source="staff:x", until=DAY + timedelta(days=9))
    desk.later(hours=1)
    desk.core.staff.stop(ana, source="staff:x", channels=("email",))
    stretch = desk.core.timeline.of(ana)
    assert told(stretch) == ["opt_out", "pause", "sent", "consent", "consent"]
    pause = stretch.told[1]
    assert isinstance(pause, Event)
    assert pause.by == "staff:x"
    assert pause.until is not None
    assert pause.until.date() == DAY + timedelta(days=9)
    assert all(
        (each.at if isinstance(each, Event) else each.ended).tzname() == "PST"  # type: ignore[union-attr]
        for each in stretch.told
    )


def test_what_is_still_to_come_is_not_told_here(desk: Desk) -> None:
    ana = desk.enrol()
    assert not [each for each in desk.core.timeline.of(ana).told if isinstance(each, Line)]


def test_pages_meet_and_leave_nothing_out(desk: Desk) -> None:
    ana = desk.enrol()
    for _ in range(5):
        desk.later(days=9)
        desk.core.staff.pause(ana, series=None, source="staff:x")
        desk.later(hours=1)
        desk.core.staff.resume(ana, series=None, source="staff:x")
    pages, last = [], None
    while True:
        stretch = desk.core.timeline.of(ana, last)
        assert stretch.last - stretch.first < DAYS
        pages.append(stretch)
        last = stretch.older
        if last is None:
            break
    everything = [kind for page in pages for kind in told(page)]
    assert everything == ["resume", "pause"] * 5 + ["consent", "consent"]
    assert pages[0].newer is None
    assert [page.newer for page in pages[1:]] == [page.last for page in pages[:-1]]


def test_that_somebody_looked_is_noted_and_is_no_event_of_the_patients(desk: Desk) -> None:
    ana = desk.enrol()
    before = told(desk.core.timeline.of(ana))
    desk.core.audit.note_seen(ana, "staff:x")
    assert told(desk.core.timeline.of(ana)) == before
    keys = PartitionKeys(partition_of(ana))
    (entry,) = [each for each in desk.core.audit.of(keys, [ana], 0) if each.what == "seen"]
    assert (entry.on, entry.by) == (ana, "staff:x")
