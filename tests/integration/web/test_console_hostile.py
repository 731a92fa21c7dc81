"""Members who try for more than they may: patients of another clinic, a session that was stolen."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.accounts.roles import Role
from service.store.reply_records import Reply
from service.web.console.access import FORM_TOKEN
from tests.support.clinics import TO_HILLSIDE, TO_RIVERSIDE, two_clinics
from tests.support.console import Desk, signed_in
from tests.support.pages import text_of
from tests.support.patient_files import row, text
from tests.support.web import Site, site

TERMS = {"method": "written", "wording": "2026-11", "dates": "iso"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("two")
    with site(directory, clinics=two_clinics(directory)) as running:
        yield running


def upload(desk: Desk, content: str) -> httpx.Response:
    return desk.site.client.post(
        "/console/imports",
        data={FORM_TOKEN: desk.form_token, **TERMS},
        files={"file": ("march.csv", content.encode())},
        headers={"cookie": desk.cookie, "sec-fetch-site": "same-origin"},
    )


def test_a_file_takes_no_patient_from_a_clinic_that_its_importer_does_not_see(two: Site) -> None:
    phone = "+15035550181"
    patient = two.enrol("Mia", phone=phone, clinic="riverside")
    theirs = row(
        given_name="Mia",
        phone=phone,
        email="",
        consent="sms",
        clinic="hillside",
        series="sleep-hygiene",
    )
    desk = signed_in(two, Role.STAFF, "hillside")
    sent = upload(desk, text(theirs))
    assert sent.status_code == 303, sent.text
    identifier = sent.headers["location"].rpartition("/")[2]
    page = desk.get(f"imports/{identifier}").text
    assert "ask an administrator" in page
    desk.post(f"imports/{identifier}/confirm")
    two.core.imports.go_on(identifier, "worker", lambda: True)
    fields = two.core.patients.load(patient)
    assert two.core.patients.contact(fields).clinic == "riverside"
    assert len(list(fields.subscriptions())) == 1
    assert desk.get(f"patients/{patient}").status_code == 404


def test_nobody_is_told_that_a_patient_of_another_clinic_has_an_address(two: Site) -> None:
    phone = "+15035550183"
    two.enrol("Noa", phone=phone, clinic="riverside", state="OR")
    typed = {
        "clinic": "hillside",
        "given_name": "Lou",
        "phone": phone,
        "sms_consent": "verbal",
        "wording": "2026-11",
        "series": "restless-legs",
        "language": "en",
        "timezone": "America/New_York",
    }
    there = {"clinic": "hillside", "phone": phone, "email": "", "consent": "sms"}
    file = text(row(given_name="Lou", **there))
    for clinics, is_told in ((("hillside",), False), (("riverside", "hillside"), True), ((), True)):
        desk = signed_in(two, Role.STAFF, *clinics)
        check = text_of(desk.post("patients/check", **typed).text)
        assert "What Lou will get" in check
        assert ("Another patient uses one of these addresses" in check) is is_told, clinics
        sent = upload(desk, file)
        page = text_of(desk.get(f"imports/{sent.headers['location'].rpartition('/')[2]}").text)
        assert "Enrol 1 patient" in page
        assert ("share a phone or mailbox" in page) is is_told, clinics


def test_a_rating_is_given_to_nobody_whom_the_reader_does_not_see(two: Site) -> None:
    phone = "+15035550182"
    mine = two.enrol("Ida", phone=phone, clinic="riverside")
    hidden = two.enrol("Bea", phone=phone, clinic="hillside")
    two.text(phone, "what should I do about the stockings")
    thread = two.core.suppressions.digest("sms", phone)
    said = [each.what for each in two.core.conversations.of(thread)]
    reply = next(each for each in said if isinstance(each, Reply))
    desk = signed_in(two, Role.STAFF, "riverside")
    path = f"inbox/{thread}/replies/{reply.id}"
    assert hidden not in desk.get(path).text
    answer = desk.post(path, meaning="check_in", rating="3", patient=hidden, number="0")
    assert answer.status_code == 422
    assert not two.core.check_ins.of(hidden)
    assert desk.post(path, meaning="check_in", rating="3", patient=mine).status_code == 303


def test_an_administrators_session_alone_does_not_undo_their_own_second_factor(two: Site) -> None:
    desk = signed_in(two, Role.ADMIN)
    own = f"members/{desk.member.id}"
    factor = desk.post(f"{own}/second-factor")
    assert factor.headers["location"].endswith("console/account/second-factor/remove")
    link = desk.post(f"{own}/link")
    assert link.status_code == 303
    assert link.headers["location"].endswith("console/account/password")
    assert desk.is_signed_in()


@pytest.mark.parametrize(
    "path",
    ["today?polls={}", "inbox?after=1-{}-abc", "today/deliveries?before={}-abcdefghjkmn.1.0"],
)
def test_a_number_without_end_in_an_address_is_no_fault_of_ours(two: Site, path: str) -> None:
    answer = signed_in(two, Role.ADMIN).get(path.format("9" * 5000))
    assert answer.status_code < 500


@pytest.mark.parametrize("before", [f"{2**64}-0-staff", f"1-{2**64}-staff", "0-0-zz", "0-1-1"])
def test_a_place_of_the_audit_that_no_entry_has_is_no_fault_of_ours(two: Site, before: str) -> None:
    desk = signed_in(two, Role.ADMIN)
    assert desk.get(f"audit?before={before}").status_code == 200
    assert desk.post("audit", before=before).status_code == 200


def test_a_header_of_commas_is_refused_before_it_keeps_a_thread(two: Site) -> None:
    desk = signed_in(two, Role.STAFF)
    begun = time.perf_counter()
    answer = upload(desk, "given_name,phone,consent,series,timezone" + "," * 2_000_000 + "\r\n")
    assert answer.status_code == 422
    assert "longer than" in answer.text
    wide = upload(desk, "given_name,phone,consent,series,timezone" + "," * 900_000 + "\r\n")
    assert wide.status_code == 303
    assert upload(desk, '["a"' + 200_000 * " " + "]").status_code == 422
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize("cell", ["\n=1+1", "  =1+1", "\uff1d1+1", "@SUM(1)"])
def test_no_rejected_cell_is_run_by_a_spreadsheet(two: Site, cell: str) -> None:
    desk = signed_in(two, Role.STAFF)
    sent = upload(desk, text(row(given_name=f'"{cell}"', phone="nobody")))
    identifier = sent.headers["location"].rpartition("/")[2]
    _, bad = csv.reader(io.StringIO(desk.get(f"imports/{identifier}/rejected.csv").text))
    assert bad[0] == f"'{cell}"


def test_a_form_in_a_charset_of_half_letters_is_refused(two: Site) -> None:
    desk = signed_in(two, Role.STAFF)
    part = f'--x\r\nContent-Disposition: form-data; name="{FORM_TOKEN}"\r\n\r\n+2AA-\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x; charset=utf-7"
    headers = {"cookie": desk.cookie, "sec-fetch-site": "same-origin", "content-type": kind}
    sent = two.client.post("/console/patients/search", content=part, headers=headers)
    assert sent.status_code == 403


def test_a_patients_page_has_no_words_that_were_written_to_another_clinic(
    tmp_path: Path,
) -> None:
    with site(tmp_path, clinics=two_clinics(tmp_path, own_senders=True)) as running:
        phone = "+15035550183"
        hers = running.enrol("Vic", phone=phone, clinic="riverside")
        theirs = running.enrol("Sam", phone=phone, clinic="hillside")
        running.text(phone, "my leg hurts since tuesday", To=TO_HILLSIDE)
        running.text(phone, "my foot itches since monday", To=TO_RIVERSIDE)
        riverside = signed_in(running, Role.STAFF, "riverside").get(f"patients/{hers}").text
        hillside = signed_in(running, Role.STAFF, "hillside").get(f"patients/{theirs}").text
        assert "my foot itches" in riverside
        assert "my leg hurts" in hillside
        assert "my foot itches" not in hillside
        assert "my leg hurts" not in riverside


def test_who_enters_a_number_as_a_patients_reads_nothing_that_was_written_from_it_before(
    two: Site,
) -> None:
    phone, own = "+15035550184", "+15035550185"
    two.enrol("Eva", phone=phone, clinic="riverside")
    two.text(phone, "what about magnesium at night")
    made_up = two.enrol("Nobody", phone=phone, clinic="hillside")
    corrected = two.enrol("Nemo", phone=own, clinic="hillside")
    desk = signed_in(two, Role.STAFF, "hillside")
    fields = {"address": phone, "consent": "verbal", "wording": "2026-11"}
    desk.post(f"patients/{corrected}/address/phone", **fields)
    thread = two.core.suppressions.digest("sms", phone)
    for path in (f"inbox/{thread}", f"patients/{made_up}", f"patients/{corrected}"):
        assert "magnesium" not in desk.get(path).text
    two.text(phone, "and what about iron")
    assert "and what about iron" in desk.get(f"inbox/{thread}").text
    theirs = signed_in(two, Role.STAFF, "riverside")
    assert "magnesium" in theirs.get(f"inbox/{thread}").text
