"""On whose clock the audit, the account and the pages about staff tell times, over HTTP."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

from service.accounts.roles import Role
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.pages import shown
from tests.support.web import Site, site

EVENING = "2026-03-04T02:00:00"
"""Six in the evening of the day before in Portland, nine in New York."""
PORTLAND, NEW_YORK = "America/Los Angeles", "America/New York"
PAGES = ("audit", "account", "members", "members/{id}")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("web")
    with site(directory, clinics=two_clinics(directory), clock=f"fast:1@{EVENING}") as running:
        running.enrol(clinic="riverside", state="OR", phone="+15035550101")
        yield running


def pages(desk: Desk) -> list[str]:
    return [shown(desk.get(path.format(id=desk.member.id))) for path in PAGES]


@pytest.mark.parametrize(
    ("clinic", "zone", "evening"),
    [("riverside", PORTLAND, "March 3, 2026, 6:"), ("hillside", NEW_YORK, "March 3, 2026, 9:")],
)
def test_a_member_of_one_clinic_reads_times_on_its_clock(
    web: Site, clinic: str, zone: str, evening: str
) -> None:
    desk = signed_in(web, Role.ADMIN, clinic)
    for page in pages(desk):
        assert f"Times are on the clock of {zone}." in page
    assert evening in shown(desk.get("audit?kind=accounts"))


def test_who_sees_clinics_of_several_zones_reads_utc_and_is_told_so(web: Site) -> None:
    for desk in (signed_in(web, Role.ADMIN), signed_in(web, Role.ADMIN, "riverside", "hillside")):
        for page in pages(desk):
            assert "Times are in UTC." in page
            assert PORTLAND not in page
        assert "March 4, 2026, 2:" in shown(desk.get("audit"))


def test_the_zone_is_named_in_the_readers_language(web: Site) -> None:
    desk = signed_in(web, Role.ADMIN, "riverside", language="es")
    assert "Las horas son las de America/Los Angeles." in shown(desk.get("audit"))
    both = signed_in(web, Role.ADMIN, language="es")
    assert "Las horas están en UTC." in shown(both.get("members"))


def test_every_time_names_its_zone_in_short(web: Site) -> None:
    near, far = signed_in(web, Role.ADMIN, "riverside"), signed_in(web, Role.ADMIN)
    assert " pm PST " in shown(near.get("audit"))
    assert " am UTC " in shown(far.get("audit"))


def test_the_days_of_a_filter_are_those_of_the_clock_that_is_read(web: Site) -> None:
    near, far = signed_in(web, Role.ADMIN, "riverside"), signed_in(web, Role.ADMIN)
    assert "no such entry" not in shown(near.get("audit?first=2026-03-03&last=2026-03-03"))
    assert "no such entry" in shown(near.get("audit?first=2026-03-04"))
    assert "no such entry" in shown(far.get("audit?last=2026-03-03"))
    assert "no such entry" not in shown(far.get("audit?first=2026-03-04&last=2026-03-04"))


def test_the_file_of_the_audit_is_in_utc_and_the_page_says_so(web: Site) -> None:
    desk = signed_in(web, Role.ADMIN, "riverside")
    assert "In the CSV file they are in UTC." in shown(desk.get("audit"))
    answer = desk.post("audit/export", first="2026-03-03", last="2026-03-03")
    header, *rows = csv.reader(answer.text.splitlines())
    assert header[0] == "at"
    assert rows, "the days are those of the page"
    assert all(row[0].startswith("2026-03-04T02:") and row[0].endswith("Z") for row in rows)
