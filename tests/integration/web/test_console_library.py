"""The library and the series in the console, over real HTTP."""

from __future__ import annotations

import re

import pytest

from service.accounts.roles import Role
from service.store.migrations import Order
from service.store.records import Status
from tests.support.console import Desk, signed_in
from tests.support.web import Site


@pytest.fixture
def author(web: Site) -> Desk:
    return signed_in(web, Role.AUTHOR)


def test_every_message_is_listed_and_shown_in_each_language(web: Site, author: Desk) -> None:
    listed = author.get("library")
    assert listed.status_code == 200
    for message in web.core.catalog:
        assert f'console/library/{message.name}"' in listed.text
    shown = author.get("library/walking")
    assert "Riverside Clinic" in shown.text
    assert "GSM-7" in shown.text
    assert author.get("library/walking?language=es").text.count('lang="es"') >= 3
    assert author.get("library/walking?language=fr").status_code == 404
    assert author.get("library/nothing").status_code == 404


def test_the_list_is_filtered(author: Desk) -> None:
    def names(query: str) -> set[str]:
        return set(re.findall(r'console/library/([a-z-]+)"', author.get(f"library?{query}").text))

    everything = names("")
    assert names("strand=sleep") < everything
    assert all(name.startswith("sleep") for name in names("strand=sleep"))
    assert "walking" not in names("series=sleep-hygiene")
    assert names("overdue=1") == set()
    assert names("strand=nonsense&series=nonsense") == everything


def test_an_email_stands_in_a_frame_that_nothing_gets_out_of(author: Desk) -> None:
    page, mail = author.get("library/walking"), author.get("library/walking/en/mail")
    assert re.search(r"<iframe sandbox [^>]*library/walking/en/mail", page.text)
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert "allow-" not in policy
    assert "Ten minutes" in page.text
    assert author.get("library/walking/xx/mail").status_code == 404


def test_a_series_is_a_calendar_for_any_start_zone_and_bedtime(author: Desk) -> None:
    listed = author.get("series")
    assert "restless-legs" in listed.text
    assert "sleep-hygiene" in listed.text
    asked = "start=2026-03-02&timezone=America/Denver&bedtime=23:15&language=es&channels=email"
    shown = author.get(f"series/sleep-hygiene/1?{asked}")
    assert shown.status_code == 200
    assert "MST" in shown.text
    assert 'value="23:15"' in shown.text
    assert author.get("series/sleep-hygiene/1").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=tomorrow", "start"),
        ("start=0001-01-01", "start"),
        ("bedtime=late", "bedtime"),
        ("timezone=Mars/Olympus", "timezone"),
        ("state=ZZ", "state"),
        ("language=xx", "language"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told_beside_its_field(
    author: Desk, query: str, field: str
) -> None:
    shown = author.get(f"series/restless-legs/2?{query}")
    assert shown.status_code == 422
    assert f'id="{field}-fault"' in shown.text


@pytest.mark.parametrize(
    "path",
    [
        "series/none/1",
        "series/restless-legs/99",
        "series/restless-legs/x",
        "series/none/difference",
    ],
)
def test_a_series_or_version_that_is_none_is_not_found(author: Desk, path: str) -> None:
    assert author.get(path).status_code == 404


def test_what_differs_is_shown_with_the_way_to_move_patients(author: Desk, web: Site) -> None:
    shown = author.get("series/restless-legs/difference?old=1&new=2")
    assert shown.text.count("another branch") == 10
    assert "series/moves/new?series=restless-legs" in shown.text
    same = author.get("series/restless-legs/difference?old=2&new=2")
    assert "Nothing differs" in same.text
    viewer = signed_in(web, Role.VIEWER).get("series/restless-legs/difference")
    assert "series/moves/new" not in viewer.text


def test_patients_are_moved_after_a_dry_run_and_with_the_count_in_the_button(
    web: Site, author: Desk, phone: str
) -> None:
    patient = web.enrol(phone=phone, series="restless-legs")
    form = {"series": "restless-legs", "old": "2", "new": "1", "clinics": "riverside"}
    dry = author.follow("series/moves", **form)
    assert "Dry run" in dry.text
    assert 'hx-trigger="every 2s"' in dry.text
    dry_id = str(dry.url).rpartition("/")[2]
    early = author.post(f"series/moves/{dry_id}/confirm").headers["location"]
    assert early.endswith(dry_id), "nothing is moved before it has been counted"
    web.core.series_migrations.go_on(dry_id, seconds=1, token="worker")
    done = author.get(f"series/moves/{dry_id}")
    assert "Move 1 patients" in done.text
    assert patient not in done.text, "authors see no patients"
    assert patient in signed_in(web, Role.ADMIN).get(f"series/moves/{dry_id}").text
    begun = author.follow(f"series/moves/{dry_id}/confirm")
    assert "The move has begun" in begun.text
    real_id = str(begun.url).rpartition("/")[2].partition("?")[0]
    real = web.core.series_migrations.find(real_id)
    assert (real.order.dry, real.by) == (False, author.member.source)
    web.core.series_migrations.go_on(real.id, seconds=1, token="worker")
    old, new = web.core.patients.load(patient).subscriptions()
    assert (old.status, new.status, new.version) == (Status.MOVED, Status.ACTIVE, 1)
    assert "hx-trigger" not in author.get(f"series/moves/{real.id}").text


def test_who_was_moved_is_shown_once_with_the_series_that_goes_on(web: Site, phone: str) -> None:
    admin = signed_in(web, Role.ADMIN)
    patient = web.enrol(phone=phone)
    order = Order("restless-legs", 2, 1)
    started = web.core.series_migrations.start(order, by="test")
    web.core.series_migrations.go_on(started.id, seconds=1, token="test")
    assert [each.status for each in web.core.patients.load(patient).subscriptions()] == [
        Status.MOVED,
        Status.ACTIVE,
    ]
    (series,) = web.core.overviews.of(web.core.patients.load(patient)).series
    assert (series.number, series.status) == (2, Status.ACTIVE)
    assert admin.get(f"patients/{patient}").status_code == 200
    assert admin.get("patients").status_code == 200
    web.core.staff.leave(patient, 2, source="test")
    assert admin.get("patients").status_code == 200


def test_a_move_is_stopped(web: Site, author: Desk) -> None:
    form = {"series": "restless-legs", "old": "1", "new": "2"}
    path = author.post("series/moves", **form).headers["location"].rpartition("/")[2]
    stopped = author.follow(f"series/moves/{path}/stop")
    assert "Nobody is moved any more" in stopped.text
    assert web.core.series_migrations.find(path).state == "stopped"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"new": "2"}, "new"),
        ({"new": "99"}, "new"),
        ({"old": "x"}, "old"),
        ({"series": "none"}, "new"),
        ({"clinics": "elsewhere"}, "clinics"),
    ],
)
def test_an_order_that_is_none_is_refused_with_what_was_typed(
    author: Desk, changed: dict[str, str], field: str
) -> None:
    form = {"series": "restless-legs", "old": "2", "new": "1", **changed}
    answer = author.post("series/moves", **form)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text


def test_moves_of_another_clinic_do_not_exist(web: Site, author: Desk) -> None:
    form = {"series": "restless-legs", "old": "1", "new": "2"}
    everywhere = author.post("series/moves", **form).headers["location"].rpartition("/")[2]
    other = signed_in(web, Role.ADMIN, "riverside")
    assert other.get(f"series/moves/{everywhere}").status_code == 404
    assert other.post(f"series/moves/{everywhere}/stop").status_code == 404
    assert everywhere not in other.get("series").text
    assert other.get("series/moves/nothing").status_code == 404
    own = other.post("series/moves", **form).headers["location"].rpartition("/")[2]
    assert web.core.series_migrations.find(own).order.clinics == ("riverside",)


@pytest.mark.parametrize("path", ["library", "library/walking", "series", "series/restless-legs/2"])
def test_pages_are_in_the_members_language(web: Site, path: str) -> None:
    spanish = signed_in(web, Role.VIEWER, language="es").get(path)
    assert '<html lang="es">' in spanish.text
    assert "Biblioteca" in spanish.text
