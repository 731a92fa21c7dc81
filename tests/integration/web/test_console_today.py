"""The first page of the console: whom to call, what did not arrive, what goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schedules.delivery import State
from service.accounts.roles import Role
from service.store.installation import StoredClock
from service.store.keys import LAST_TICK
from service.store.tasks import TaskState
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.deliveries import conclude
from tests.support.pages import hidden_fields, shown
from tests.support.web import SENDER, URGENT, Site, site

MORNING = "fast:1@2026-03-02T18:00:00"
"""A Monday at ten in the morning in Los Angeles."""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """A site of each test's own, whose beat has just ticked."""
    clinics = two_clinics(tmp_path, segment_price=0.0079, own_senders=True)
    with site(tmp_path, clinics=clinics, clock=MORNING) as running:
        running.core.client.set(LAST_TICK, running.core.machine.now_ms())
        yield running


@pytest.fixture
def desk(own: Site) -> Desk:
    return signed_in(own)


def enrol(own: Site, name: str, phone: str, clinic: str = "riverside") -> str:
    return own.enrol(name, phone=phone, clinic=clinic)


def test_a_quiet_day_says_so(desk: Desk) -> None:
    told = shown(desk.get("today"))
    for sentence in (
        "Nobody needs a call.",
        "No reply waits to be read.",
        "Every delivery reached the provider.",
        "Nothing more is planned for today.",
        "Monday, March 2, 10:00 am, on the clock of America/Los Angeles",
    ):
        assert sentence in told
    assert "alert" not in told


def test_the_most_pressing_stand_first_with_their_age_and_who_has_them(own: Site) -> None:
    for number, body in enumerate(["9", URGENT, "what about magnesium"]):
        enrol(own, f"P{number}", f"+1503555010{number}")
        own.text(f"+1503555010{number}", body)
    own.wait(95)
    page = signed_in(own).get("today")
    names = re.findall(r'scope="row"><a[^>]*>(\w+)', page.text)
    assert names == ["P1", "P0", "P2"]
    told = shown(page)
    assert "Urgent" in told
    assert "1 h Nobody yet" in told
    assert "+1503555" not in page.text


def test_a_task_is_taken_and_closed_where_it_is_seen(own: Site, desk: Desk) -> None:
    enrol(own, "Ana", "+15035550100")
    own.text("+15035550100", URGENT)
    (task,) = own.core.tasks.waiting()
    form = hidden_fields(desk.get("today"), f"{task.id}/take")
    assert form == {"back": "today"}
    told = shown(desk.follow(f"tasks/{task.id}/take", **form))
    assert "The task is yours." in told
    assert "You" in told
    late = signed_in(own).post(f"tasks/{task.id}/take", back="today")
    assert f"{desk.member.name} has this task already." in shown(late, 409)
    assert "Who needs a call" in shown(late, 409)
    desk.follow(f"tasks/{task.id}/close", back="today")
    assert own.core.tasks.find(task.id).state is TaskState.CLOSED


def test_what_is_renewed_tells_of_a_change_and_moves_nothing(own: Site, desk: Desk) -> None:
    enrol(own, "Ana", "+15035550100")
    renewed = re.compile(r'hx-get="[^"]*(today\?seen=\w+&amp;polls=\d+)"')
    (first,) = renewed.findall(desk.get("today").text)
    again = desk.get(first.replace("&amp;", "&"))
    assert "Something has changed" not in again.text
    own.text("+15035550100", URGENT)
    (second,) = renewed.findall(again.text)
    assert "Something has changed" in desk.get(second.replace("&amp;", "&")).text
    assert "Something has changed" not in desk.get("today").text


def test_a_page_that_nobody_uses_rests(desk: Desk) -> None:
    page = desk.get("today?polls=0")
    assert "hx-get" not in page.text
    assert "no longer renews itself" in page.text
    for nonsense in ("-1", "x", "99999999999", "1e3"):
        assert desk.get(f"today?polls={nonsense}").status_code == 200


def test_a_beat_that_is_silent_is_told_of(own: Site, desk: Desk) -> None:
    own.wait(3)
    told = shown(desk.get("today"))
    assert "Nothing is being sent: the service's beat has been silent." in told
    assert "It last ticked 3 min ago." in told
    own.core.client.delete(LAST_TICK)
    assert "It has not ticked yet." in shown(desk.get("today"))


def test_a_stopped_sender_is_told_to_those_who_send_from_it(own: Site, desk: Desk) -> None:
    own.core.stores.rates.stop(
        SENDER, begun_ms=own.core.machine.now_ms(), code="20003", reason="-", proof="answer"
    )
    assert f"{SENDER} (20003)" in shown(desk.get("today"))
    assert SENDER not in signed_in(own, Role.STAFF, "hillside").get("today").text


def test_what_goes_out_today_is_told_by_the_clinics_hour(own: Site, desk: Desk) -> None:
    enrol(own, "Ana", "+15035550100")
    told = shown(desk.get("today"))
    assert re.search(r"10:00 am 1\b", told)
    assert isinstance(own.core.business, StoredClock)
    own.core.business.set_ms(own.core.business.now_ms() + 3_600_000)
    assert "Due by now, and about to go: 1" in shown(desk.get("today"))


def failed(own: Site, patient: str, state: State = State.FAILED, reason: str = "refused") -> None:
    conclude(own.core, patient, state, reason, late=timedelta(seconds=2))


def test_deliveries_that_failed_are_listed_for_those_of_the_clinic(own: Site, desk: Desk) -> None:
    ana = enrol(own, "Ana", "+15035550100")
    ben = enrol(own, "Ben", "+15035550101", "hillside")
    failed(own, ana)
    failed(own, ben, State.UNKNOWN, "no_answer")
    assert "Ana" in shown(desk.get("today"))
    told = shown(desk.get("today/deliveries"))
    assert "2 of all clinics" in told
    assert "Refused The provider refused it for good." in told
    assert "Not known The provider gave no answer and no proof was found." in told
    page = signed_in(own, Role.STAFF, "hillside").get("today/deliveries")
    assert "Ben" in page.text
    assert "Ana" not in page.text
    assert "Try again" not in page.text, "it may have arrived"


def test_one_is_tried_again_by_those_of_its_clinic(own: Site, desk: Desk) -> None:
    ana = enrol(own, "Ana", "+15035550100")
    failed(own, ana)
    (letter,) = own.core.dead_letters.some(5)
    path = f"today/deliveries/{letter.id}/retry"
    other = signed_in(own, Role.STAFF, "hillside")
    assert other.post(path).status_code == 404
    for nothing in ("x", f"{ana}.9", "000000000000.1.0"):
        assert desk.post(f"today/deliveries/{nothing}/retry").status_code == 404
    assert "It is tried again" in shown(desk.follow(path))
    assert "to be tried again already" in shown(desk.follow(path))


def test_many_deliveries_are_read_page_by_page(own: Site, desk: Desk) -> None:
    for number in range(30):
        failed(own, enrol(own, f"P{number}", f"+150355502{number:02d}"))
    first = desk.get("today/deliveries")
    (further,) = re.findall(r'href="[^"]*console/(today/deliveries\?before=[^"]+)"', first.text)
    second = desk.get(further)
    shown_names = re.findall(r'scope="row"><a[^>]*>(P\d+)', first.text + second.text)
    assert sorted(shown_names) == sorted(f"P{number}" for number in range(30))
    assert desk.get("today/deliveries?before=nonsense").status_code == 200
