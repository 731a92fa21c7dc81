"""A member imports a file: upload, check, confirm with the count, result; and what is refused."""

from __future__ import annotations

import csv
import io
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from service.accounts.roles import Role
from service.store.import_records import ImportState
from service.web.console.access import FORM_TOKEN
from service.web.frontier import BODY_LIMIT, FILE_LIMIT
from tests.support.console import Desk, signed_in
from tests.support.pages import summary_of, text_of
from tests.support.patient_files import patient, row, text
from tests.support.web import Site

TERMS = {"method": "written", "wording": "2026-11", "dates": "iso"}


def upload(desk: Desk, content: str | bytes, **fields: str) -> httpx.Response:
    """Send a file as a browser does."""
    return desk.site.client.post(
        "/console/imports",
        data={FORM_TOKEN: desk.form_token, **TERMS, **fields},
        files={"file": ("march.csv", content.encode() if isinstance(content, str) else content)},
        headers={"cookie": desk.cookie, "sec-fetch-site": "same-origin"},
    )


def uploaded(desk: Desk, content: str | bytes, **fields: str) -> tuple[str, str]:
    """The id of the import, and its page."""
    answer = upload(desk, content, **fields)
    assert answer.status_code == 303, answer.text
    identifier = answer.headers["location"].rpartition("/")[2]
    return identifier, desk.get(f"imports/{identifier}").text


def work(site: Site, identifier: str) -> None:
    """What a worker does."""
    assert site.core.imports.go_on(identifier, "worker", lambda: True)


def patients(site: Site) -> int:
    return len(list(site.core.patients.identifiers()))


def test_a_file_is_checked_confirmed_and_imported(web: Site) -> None:
    desk, before = signed_in(web), patients(web)
    rows = [patient(number) for number in range(700, 712)]
    bad = row(phone="4.155551E+10", email="nobody")
    identifier, page = uploaded(desk, text(*rows, bad, rows[0]))
    assert patients(web) == before, "nobody is enrolled by a check"
    words = text_of(page)
    assert "12 to be enrolled" in words
    assert "1 duplicates" in words
    assert "Enrol 12 patients" in words
    assert "14 phone A spreadsheet has rounded this phone number" in words
    assert "14 email An e-mail address has one @ sign" in words
    assert "15 the same person as in row 2" in words
    assert "What Pat700 gets first" in words
    assert "Riverside" in words
    assert (
        "Hello" in desk.get(f"imports/{identifier}/mail").text
        or "Pat700" in desk.get(f"imports/{identifier}/mail").text
    )
    going = text_of(desk.follow(f"imports/{identifier}/confirm").text)
    assert "The patients are being enrolled" in going
    work(web, identifier)
    done = text_of(desk.get(f"imports/{identifier}").text)
    assert "The file is imported" in done
    assert "12 enrolled" in done
    assert patients(web) == before + 12
    listed = text_of(desk.get("imports").text)
    assert "march.csv" in listed
    assert desk.member.name in listed


def test_evidence_names_the_member_the_method_and_the_wording(web: Site) -> None:
    desk = signed_in(web)
    identifier, _ = uploaded(desk, text(patient(801)), method="paper", wording="2026-11")
    desk.post(f"imports/{identifier}/confirm")
    work(web, identifier)
    digest = web.core.suppressions.digest("sms", patient(801)["phone"])
    (one,) = web.core.suppressions.patients(digest)
    consents = web.core.patients.consents(one)
    assert {(c["method"], c["wording"], c["by"]) for c in consents} == {
        ("paper", "2026-11", desk.member.source)
    }


def test_confirming_twice_enrols_once(web: Site) -> None:
    desk = signed_in(web)
    identifier, _ = uploaded(desk, text(patient(811)))
    before = patients(web)
    for _ in range(2):
        assert desk.post(f"imports/{identifier}/confirm").status_code == 303
    work(web, identifier)
    desk.post(f"imports/{identifier}/confirm")
    assert not web.core.imports.go_on(identifier, "again", lambda: True)
    assert patients(web) == before + 1


def test_rejected_rows_are_downloaded_inert_and_imported_when_put_right(web: Site) -> None:
    desk = signed_in(web)
    bad = patient(821, given_name='=cmd|" /C calc"!A0', phone="+1503")
    identifier, _ = uploaded(desk, text(bad | {"given_name": '"=cmd|"" /C calc""!A0"'}))
    answer = desk.get(f"imports/{identifier}/rejected.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    header, cells = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert header[-2:] == ["row", "reasons"]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    put_right = answer.text.replace("'+1503,", "'+15032000821,")
    again, page = uploaded(desk, put_right)
    assert "Enrol 1 patient" in text_of(page)
    assert web.core.imports.load(again).tally["accepted"] == 1


def test_the_audit_tells_who_confirmed_an_import_and_who_took_its_rows(web: Site) -> None:
    desk = signed_in(web)
    identifier, _ = uploaded(desk, text(patient(831), row(phone="1")))
    desk.post(f"imports/{identifier}/confirm")
    work(web, identifier)
    desk.get(f"imports/{identifier}/rejected.csv")
    page = text_of(signed_in(web, Role.ADMIN).get("audit?kind=import").text)
    for told in ("An import was confirmed", "A file was imported", "Took away the rejected rows"):
        assert told in page
    assert desk.member.name in page
    assert identifier in page


def test_a_large_file_is_checked_by_a_worker_while_the_page_waits(web: Site) -> None:
    desk = signed_in(web)
    content = text(*(patient(number, series="nothing") for number in range(5_001)))
    identifier, page = uploaded(desk, content)
    assert "The file is being checked" in text_of(page)
    assert 'hx-trigger="every 2s"' in page
    work(web, identifier)
    page = desk.get(f"imports/{identifier}").text
    assert "Nobody in this file can be enrolled." in text_of(page)
    assert "These are the first 100." in text_of(page)
    assert page.count("<tr>") <= 102


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04 a workbook", "This is a workbook"),
        (b"", "Choose a file"),
        (b"\x1f\x8b\x08 zipped", "compressed"),
        (text(row(given_name="José")).encode("mac_roman"), "cannot be read"),
        (b"a,b\r\n1,2\r\n", "The first row is no header"),
        (text(row(given_name='"Ana'), *(patient(n) for n in range(9))).encode(), "not closed"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_a_remedy(
    web: Site, content: bytes, told: str
) -> None:
    answer = upload(signed_in(web), content)
    assert answer.status_code == 422
    assert told in text_of(answer.text) or "file is empty" in text_of(answer.text)


def test_without_word_of_how_they_agreed_nothing_is_taken(web: Site) -> None:
    answer = upload(signed_in(web), text(row()), method="")
    assert answer.status_code == 422
    assert "Say how the patients agreed." in text_of(answer.text)
    assert upload(signed_in(web), text(row()), method="none").status_code == 422


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_that_an_upload_lacks_is_told_at_once(web: Site, language: str) -> None:
    desk = signed_in(web, language=language)
    answer = desk.post("imports", dates="iso")
    assert answer.status_code == 422
    assert [field for field, _ in summary_of(answer)] == ["file", "method", "wording"]


def test_an_import_of_other_clinics_does_not_exist(web: Site) -> None:
    theirs, _ = uploaded(signed_in(web), text(patient(841)))
    desk = signed_in(web, Role.STAFF, "riverside")
    unknown = desk.get("imports/000000000000")
    for path in (f"imports/{theirs}", f"imports/{theirs}/rejected.csv", f"imports/{theirs}/mail"):
        answer = desk.get(path)
        assert (answer.status_code, text_of(answer.text)) == (404, text_of(unknown.text))
    assert desk.post(f"imports/{theirs}/confirm").status_code == 404
    assert web.core.imports.load(theirs).state is ImportState.CHECKED
    assert theirs not in desk.get("imports").text
    mine, _ = uploaded(desk, text(patient(842)))
    assert signed_in(web, Role.ADMIN).get(f"imports/{mine}").status_code == 200


def test_nobody_uploads_who_may_not(web: Site) -> None:
    content = text(patient(851))
    assert upload(signed_in(web, Role.VIEWER), content).status_code == 403
    assert upload(signed_in(web, Role.AUTHOR), content).status_code == 403
    stranger = web.client.post("/console/imports", files={"file": ("a.csv", content)})
    assert stranger.status_code == 303
    assert "sign-in" in stranger.headers["location"]


def test_only_there_a_large_body_is_taken(web: Site) -> None:
    desk = signed_in(web)
    large = b"x" * (BODY_LIMIT + 1)
    assert desk.post("patients/check", given_name="x" * (BODY_LIMIT + 1)).status_code == 413
    assert upload(desk, large).status_code == 422, "read, and no table"
    connection = HTTPConnection("127.0.0.1", urlsplit(web.url).port or 0)
    connection.putrequest("POST", "/console/imports")
    connection.putheader("Cookie", desk.cookie)
    connection.putheader("Sec-Fetch-Site", "same-origin")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(FILE_LIMIT + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413, "before any of it is sent"
    connection.close()


def test_the_same_file_again_is_told(web: Site) -> None:
    desk = signed_in(web)
    content = text(patient(861))
    first, _ = uploaded(desk, content)
    desk.post(f"imports/{first}/confirm")
    work(web, first)
    _, page = uploaded(desk, content)
    assert "This very file was imported before." in text_of(page)
    assert "Nobody in this file can be enrolled." in text_of(page)


def test_the_pages_speak_spanish(web: Site) -> None:
    desk = signed_in(web, language="es")
    assert "Importar pacientes" in text_of(desk.get("imports").text)
    _, page = uploaded(desk, text(patient(871), row(phone="1")))
    assert "Inscribir a 1 paciente" in text_of(page)
    assert "Esto no es un teléfono" in text_of(page)
    answer = upload(desk, b"PK\x03\x04")
    assert "Esto es un libro de cálculo." in text_of(answer.text)
