from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from service.clinics import SAMPLE_CLINIC
from service.store.keyring import KeyRing
from tests.support.web import PUBLIC_URL, Site

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(web: Site, email: str) -> str:
    return web.core.composer.unsubscribe_url(email).removeprefix(PUBLIC_URL)


def test_opening_the_link_changes_nothing_however_often(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    before = web.changes()
    for method in ("GET", "HEAD", "GET", "OPTIONS", "GET"):
        web.client.request(method, link(web, email))
    assert not web.silent(patient, "email")
    assert web.changes() == before


def test_the_page_asks_first_and_names_the_clinic(web: Site, email: str) -> None:
    web.enrol(email=email)
    answer = web.client.get(link(web, email))
    assert answer.status_code == 200
    assert SAMPLE_CLINIC.name in answer.text
    assert '<form method="post">' in answer.text
    assert email not in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "button"])
def test_one_post_stops_the_email_without_cookie_or_redirect(
    web: Site, email: str, kind: str
) -> None:
    patient = web.enrol(email=email)
    path = link(web, email)
    if kind == "urlencoded":
        answer = web.client.post(path, data=ONE_CLICK)
    elif kind == "multipart":
        answer = web.client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
    else:
        answer = web.client.post(path)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert web.silent(patient, "email")
    assert "have stopped" in answer.text
    assert SAMPLE_CLINIC.phone in answer.text


def test_a_patients_page_is_in_their_language_whatever_the_browsers_is(
    web: Site, email: str
) -> None:
    web.enrol(email=email, language="es")
    asked = web.client.get(link(web, email), headers={"Accept-Language": "en-US"})
    done = web.client.post(link(web, email), data=ONE_CLICK)
    again = web.client.get(link(web, email))
    for answer, title in (
        (asked, "¿Dejar de recibir estos correos?"),
        (done, "Ya no recibirá más correos"),
        (again, "Ya no recibirá más correos"),
    ):
        assert answer.headers["content-language"] == "es"
        assert '<html lang="es">' in answer.text
        assert f"<title>{title}</title>" in answer.text


def test_those_who_share_a_mailbox_and_no_language_get_the_browsers(web: Site, email: str) -> None:
    web.enrol("Ana", email=email, language="es")
    web.enrol("Ben", email=email)
    for browser, language in (("es-MX,es;q=0.9", "es"), ("en-US", "en"), ("fr", "en")):
        answer = web.client.get(link(web, email), headers={"Accept-Language": browser})
        assert answer.headers["content-language"] == language
        assert f'<html lang="{language}">' in answer.text


def test_a_link_that_does_not_work_says_so_in_the_browsers_language(web: Site) -> None:
    answer = web.client.get("/u/x", headers={"Accept-Language": "es-US,es;q=0.9,en;q=0.5"})
    assert answer.status_code == 404
    assert answer.headers["content-language"] == "es"
    assert "Este enlace no funciona" in answer.text


def test_leaving_by_email_stops_everybody_who_shares_the_mailbox_and_no_text(
    web: Site, email: str, phone: str
) -> None:
    one = web.enrol("Ana", email=email, phone=phone)
    other = web.enrol("Ben", email=email)
    web.client.post(link(web, email), data=ONE_CLICK)
    assert web.silent(one, "email")
    assert web.silent(other, "email")
    assert not web.silent(one, "sms")


def test_leaving_twice_says_the_same_and_is_recorded_once(web: Site, email: str) -> None:
    web.enrol(email=email)
    before = web.changes()
    path = link(web, email)
    pages = [web.client.post(path).text for _ in range(3)]
    assert len(set(pages)) == 1
    assert web.changes() == before + 1


def test_the_page_says_so_once_the_email_has_stopped(web: Site, email: str) -> None:
    web.enrol(email=email)
    path = link(web, email)
    web.client.post(path)
    answer = web.client.get(path)
    assert "have stopped" in answer.text
    assert answer.text.count("<form") == answer.text.count(f'action="{path[3:]}/undo"') == 1


def test_leaving_can_be_undone_at_once_on_the_same_page(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    path = link(web, email)
    left = web.client.post(path, data=ONE_CLICK)
    assert f'action="{path[3:]}/undo"' in left.text
    for method in ("GET", "HEAD"):
        web.client.request(method, f"{path}/undo")
    assert web.silent(patient, "email")
    answer = web.client.post(f"{path}/undo", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    again = web.client.get(answer.url.join(answer.headers["location"]))
    assert "will come again" in again.text
    assert not web.silent(patient, "email")


def test_undoing_takes_back_nothing_but_the_leaving(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    path = link(web, email)
    web.client.post(path, data=ONE_CLICK)
    web.core.staff.stop(patient, source="test")
    assert "/undo" not in web.client.get(path).text
    assert "/undo" not in web.client.post(path).text
    web.client.post(f"{path}/undo")
    assert web.silent(patient, "email")
    record = web.core.patients.load(patient).suppression("email")
    assert record is not None
    assert record.reason == "staff"


def test_another_site_can_undo_nothing(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    path = link(web, email)
    web.client.post(path)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert web.client.post(f"{path}/undo", headers=headers).status_code == 403
    assert web.silent(patient, "email")


def test_a_link_outlives_the_patient_it_was_made_for(web: Site, email: str) -> None:
    assert web.client.get(link(web, email)).status_code == 200
    assert "Call your clinic" in web.client.post(link(web, email)).text
    assert web.silent(web.enrol(email=email), "email")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_or_changed_token_tells_nothing(web: Site, email: str, method: str) -> None:
    patient = web.enrol(email=email)
    genuine = link(web, email).removeprefix("/u/")
    for_another_purpose = web.core.keyring.seal_token("preferences", b"x" * 22)
    under_another_key = KeyRing.generate().seal_token("unsubscribe", b"x" * 22)
    flipped = ("A" if genuine[30] != "A" else "B").join((genuine[:30], genuine[31:]))
    tokens = ["x", "%00", genuine[:-1], genuine + "A", flipped, "a" * 5000, "..", "%F0%9F%92%A9"]
    answers = [
        web.client.request(method, f"/u/{token}")
        for token in (*tokens, for_another_purpose, under_another_key)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers if "html" in answer.text}) == 1
    assert not web.silent(patient, "email")


def test_the_token_is_in_no_log(web: Site, email: str) -> None:
    with capture_logs() as lines:
        web.client.get(link(web, email))
        web.client.post(link(web, email) + "?secret=query")
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/u/{token}"] * 2
    assert link(web, email)[3:40] not in str(lines)
    assert "secret" not in str(lines)


def test_pages_are_neither_kept_nor_framed_nor_scripted(web: Site, email: str) -> None:
    headers = web.client.get(link(web, email)).headers
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "max-age" in headers["strict-transport-security"]
    assert "server" not in headers
