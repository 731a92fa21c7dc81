"""The audit in the console: filtered, paged, exported, and only what a member may see."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

import service
from service.accounts.roles import Role
from service.reporting.audit import PAGE
from service.store.audit import Entry
from service.web.console.audit import COLUMNS, sentence_of
from service.web.console.clocks import Clock
from service.web.language import LANGUAGES, words
from tests.support.console import Desk, signed_in
from tests.support.web import Site

BY_USE_CASES = re.compile(r'(?:what=|note\()"([a-z_]+)"')


def written() -> set[str]:
    """Every word that an entry may say, from the sources."""
    root = Path(service.__path__[0])
    found: set[str] = set()
    for script in root.joinpath("store", "scripts").glob("*.lua"):
        for line in re.findall(r"'what', (.*?'on')", script.read_text("utf-8"), re.DOTALL):
            found |= set(re.findall(r"'([a-z]{2,}[a-z_]*)'", line)) - {"on"}
    for module in root.joinpath("accounts").glob("*.py"):
        found |= set(BY_USE_CASES.findall(module.read_text("utf-8")))
    return found


@pytest.fixture
def admin(web: Site) -> Desk:
    return signed_in(web, Role.ADMIN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_told_in_words(language: str) -> None:
    say = words(language)["console_audit"]
    assert {"enrolled", "task_taken", "member_disabled", "sign_in_failed"} <= written()
    for what in written():
        if what.endswith("_"):
            assert any(key.startswith(f"what_{what}") for key in say), what
        else:
            assert f"what_{what}" in say, what


def test_an_entry_of_another_release_is_told_as_it_is() -> None:
    say = words("en")["console_audit"]
    told = sentence_of(Entry(0, "from_the_future", "x", "cli", "because"), say, Clock("UTC", "en"))
    assert told == "Written by another release: from_the_future (because)"


def test_who_did_what_is_told_with_names(web: Site, admin: Desk, phone: str) -> None:
    patient = web.enrol(phone=phone)
    web.core.staff.pause(patient, series=None, source=admin.member.source)
    shown = admin.get("audit").text
    assert admin.member.name in shown
    assert "A series was paused" in shown
    assert f"console/patients/{patient}" in shown
    assert phone not in shown


def test_entries_are_filtered_by_kind_member_and_day(web: Site, admin: Desk, phone: str) -> None:
    patient = web.enrol(phone=phone)
    other = signed_in(web, Role.ADMIN)
    web.core.staff.pause(patient, series=None, source=other.member.source)
    mine = admin.get(f"audit?member={other.member.id}").text
    assert mine.count("<tr>") == 2
    assert "A series was paused" in mine
    assert "A series was paused" not in admin.get("audit?kind=accounts").text
    assert "A series was paused" in admin.get("audit?kind=series").text
    assert "There is no such entry" in admin.get("audit?last=2001-01-01").text
    assert "A series was paused" in admin.get("audit?first=nonsense&kind=nonsense").text


def test_a_patient_is_asked_for_by_post_and_told_with_their_addresses(
    web: Site, admin: Desk, phone: str, email: str
) -> None:
    patient, another = web.enrol(phone=phone), web.enrol(given_name="Ben", email=email)
    web.core.staff.stop(patient, source="cli:maria")
    shown = admin.post("audit", patient=f" {patient.upper()} ").text
    assert "An address gets nothing any more" in shown
    assert "command line (maria)" in shown
    assert another not in shown
    nobody = admin.post("audit", patient="000000000000")
    assert nobody.status_code == 200
    assert "no such entry" in nobody.text
    assert admin.post("audit", patient="nonsense").status_code == 404


def test_pages_follow_each_other(web: Site, admin: Desk, phone: str) -> None:
    patient = web.enrol(phone=phone)
    for _ in range(PAGE + 10):
        web.core.changes.end_links(patient, source=admin.member.source)
    first = admin.get(f"audit?member={admin.member.id}")
    assert first.text.count("<tr>") == PAGE + 1
    (older,) = re.findall(r'href="[^"]*console/(audit\?[^"]*)" rel="next"', first.text)
    second = admin.get(older.replace("&amp;", "&"))
    assert second.text.count("<tr>") == 10 + 1
    by_patient = admin.post("audit", patient=patient).text
    (before,) = re.findall(r'name="before" value="([^"]+)"', by_patient)
    rest = admin.post("audit", patient=patient, before=before).text
    assert rest.count("<tr>") - 1 == PAGE + 10 + 1 - PAGE


def test_the_export_is_a_file_that_runs_no_formula(web: Site, admin: Desk, phone: str) -> None:
    patient = web.enrol(phone=phone)
    for source in ("=cmd|'/c calc'!A0", "cli:@SUM(1)", "+1", "-1"):
        web.core.changes.end_links(patient, source=source)
    answer = admin.post("audit/export", patient=patient)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(answer.text.splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 6
    assert all(not cell or cell[0] not in "=+-@\t\r" for row in rows for cell in row)
    assert phone not in answer.text
    everything = list(csv.reader(admin.post("audit/export").text.splitlines()))
    assert len(everything) > len(rows)


def test_an_admin_of_one_clinic_sees_what_is_of_that_clinic(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    near, far = signed_in(web, Role.ADMIN, "riverside"), signed_in(web, Role.ADMIN)
    web.core.staff.stop(patient, source=near.member.source)
    seen = near.get("audit?kind=consent").text
    assert patient in seen
    assert "An address gets nothing any more" in seen
    assert far.member.name not in near.get("audit?kind=accounts").text
    assert near.member.name in near.get("audit?kind=accounts").text
    assert near.post("audit", patient="000000000000").status_code == 404
    assert near.post("audit/export", patient="000000000000").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.STAFF, Role.AUTHOR])
def test_nobody_else_sees_the_audit(web: Site, role: Role) -> None:
    desk = signed_in(web, role)
    assert desk.get("audit").status_code == 403
    assert desk.post("audit/export").status_code == 403
