"""The patient's page, through the running application."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from service.clinics import SAMPLE_CLINIC
from service.clock import from_ms
from service.store.keyring import KeyRing
from service.store.records import Status
from service.store.tasks import TaskKind
from tests.support.pages import text_of
from tests.support.polling import until
from tests.support.web import PUBLIC_URL, Site

OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


def link(web: Site, *patients: str) -> str:
    """The path of the page of one patient, or of several."""
    people = [web.core.patients.load(patient) for patient in patients]
    return f"/p/{web.core.page_access.token(people)}"


def send(web: Site, path: str, **fields: str) -> httpx.Response:
    """Send a form of the page, as a browser does."""
    return web.client.post(path, data=fields, headers=OWN)


def said(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    return text_of(answer.text)


def done(web: Site, path: str, **fields: str) -> str:
    """Send a form, follow the redirect; what the page says then."""
    answer = send(web, path, **fields)
    assert answer.status_code == 303, answer.text
    assert "set-cookie" not in answer.headers
    again = web.client.get(answer.url.join(answer.headers["location"]))
    assert again.status_code == 200
    return said(again)


def in_days(web: Site, days: int) -> str:
    return (from_ms(web.core.business.now_ms()).date() + timedelta(days=days)).isoformat()


def test_the_page_tells_what_comes_and_when_in_the_patients_own_time(
    web: Site, phone: str, email: str
) -> None:
    patient = web.enrol(phone=phone, email=email)
    page = web.client.get(link(web, patient))
    assert page.status_code == 200
    told = said(page)
    assert SAMPLE_CLINIC.name in told
    assert "For Ana" in told
    assert "12 weeks of small steps" in told
    assert "0 of" in told
    assert told.count(" e-mail") >= 1
    assert re.search(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \w+ \d+ \d+:\d\d [ap]m", told)


def test_the_page_shows_no_whole_address(web: Site, phone: str, email: str) -> None:
    page = web.client.get(link(web, web.enrol(phone=phone, email=email))).text
    assert phone[-4:] in page
    assert not any(secret in page for secret in (phone, phone[2:], email))


def test_a_patients_own_language_goes_before_the_browsers(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone, language="es")
    page = web.client.get(link(web, patient), headers={"Accept-Language": "en"})
    assert page.headers["content-language"] == "es"
    assert "Sus mensajes" in said(page)


@pytest.mark.parametrize(
    "path", ["", "/record", "/record.json"], ids=["page", "readable", "download"]
)
def test_opening_the_page_changes_nothing_however_often(web: Site, phone: str, path: str) -> None:
    patient = web.enrol(phone=phone)
    before, record = web.changes(), web.core.patients.load(patient)
    for _ in range(3):
        assert web.client.get(link(web, patient) + path).status_code == 200
    assert web.changes() == before
    assert web.core.patients.load(patient) == record


@pytest.mark.parametrize("path", ["/pause", "/resume", "/details", "/stop", "/erase", "/links"])
def test_a_get_of_a_form_does_nothing(web: Site, phone: str, path: str) -> None:
    patient = web.enrol(phone=phone)
    before = web.changes()
    assert web.client.get(link(web, patient) + path).status_code == 405
    assert web.changes() == before


def test_links_that_open_nothing_are_all_answered_alike(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    genuine = link(web, patient).removeprefix("/p/")
    ended = genuine
    other = KeyRing.generate().seal_token("page", b"x" * 18)
    for_another_purpose = web.core.keyring.seal_token("unsubscribe", b"x" * 22)
    gone = web.enrol("Ben", phone=phone)
    erased = link(web, gone).removeprefix("/p/")
    web.core.erasure.erase(gone, source="test")
    web.core.changes.end_links(patient, source="test")
    tokens = ["x", genuine[:-1], ended, other, for_another_purpose, erased, "a" * 3000]
    answers = [web.client.get(f"/p/{token}") for token in tokens]
    answers += [send(web, f"/p/{token}/stop", what="sms") for token in tokens]
    assert {answer.status_code for answer in answers} == {404}
    told = {said(answer) for answer in answers}
    assert len(told) == 1
    assert "Get a new link" in told.pop()
    assert not web.silent(patient)


def test_a_link_expires(web: Site, phone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = link(web, web.enrol(phone=phone))
    assert web.client.get(path).status_code == 200
    monkeypatch.setattr(web.core.page_access, "_valid_ms", 0)
    assert web.client.get(path).status_code == 404


def test_ending_older_links_gives_out_a_new_one(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    old, older = link(web, patient), link(web, patient)
    answer = send(web, f"{old}/links")
    assert answer.status_code == 303
    new = answer.url.join(answer.headers["location"])
    assert "Older links do not work" in said(web.client.get(new))
    for path in (old, older):
        assert web.client.get(path).status_code == 404


def test_several_people_on_one_address_are_asked_whose_page_it_is(web: Site, phone: str) -> None:
    ana, ben = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    both = link(web, ana, ben)
    asked = web.client.get(both)
    assert [name in said(asked) for name in ("Ana", "Ben")] == [True, True]
    hrefs = re.findall(r'<a class="go" href="([^"]+)"', asked.text)
    pages = [said(web.client.get(asked.url.join(href))) for href in hrefs]
    assert ["For Ana" in page for page in pages] == [True, False]
    assert "For Ben" in pages[1]
    assert send(web, f"{both}/stop", what="sms").status_code == 404
    assert not web.silent(ana)


def test_a_break_lasts_until_its_day_and_may_be_ended_before(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    path = link(web, patient)
    told = done(web, f"{path}/pause", until=in_days(web, 20))
    assert "Your messages are on hold" in told
    assert "It goes on by itself on" in told
    subscription = web.core.patients.load(patient).subscription(1)
    assert subscription is not None
    assert (subscription.status, subscription.until_ms is not None) == (Status.PAUSED, True)
    assert "Your messages go on" in done(web, f"{path}/resume")
    subscription = web.core.patients.load(patient).subscription(1)
    assert subscription is not None
    assert (subscription.status, subscription.until_ms) == (Status.ACTIVE, None)


@pytest.mark.parametrize("until", ["", "soon", "2020-01-01", "2999-01-01"])
def test_a_day_that_cannot_be_is_told_beside_its_field(web: Site, phone: str, until: str) -> None:
    patient = web.enrol(phone=phone)
    answer = send(web, f"{link(web, patient)}/pause", until=until)
    assert answer.status_code == 422
    assert 'id="until-fault"' in answer.text
    assert re.search(r'<input type="date"[^>]*aria-invalid="true"', answer.text)
    assert re.search(r'aria-describedby="until-hint until-fault"', answer.text)
    assert "<title>Error:" in answer.text
    status = web.core.patients.load(patient).subscription(1)
    assert status is not None
    assert status.status is Status.ACTIVE


def test_details_change_and_what_comes_follows_them(web: Site, phone: str, email: str) -> None:
    patient = web.enrol(phone=phone, email=email)
    path = link(web, patient)
    fields = {
        "language": "es",
        "timezone": "America/New_York",
        "bedtime": "21:15",
        "prefers": "email",
    }
    told = done(web, f"{path}/details", **fields)
    assert "Guardado." in told
    assert "mensaje de texto " not in told.partition("Hacer una pausa")[0]
    contact = web.core.patients.contact(web.core.patients.load(patient))
    assert (contact.language, contact.timezone, contact.prefers) == (
        "es",
        "America/New_York",
        "email",
    )
    assert contact.bedtime.isoformat() == "21:15:00"
    assert "No había nada distinto" in done(web, f"{path}/details", **fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [("bedtime", "late"), ("timezone", "Mars/Olympus"), ("language", "fr"), ("prefers", "sms")],
)
def test_a_detail_that_cannot_be_changes_nothing(
    web: Site, email: str, field: str, value: str
) -> None:
    patient = web.enrol(email=email)
    before = web.core.patients.load(patient)
    answer = send(web, f"{link(web, patient)}/details", **{field: value})
    assert answer.status_code == 422
    assert "Please look at this again" in said(answer)
    assert web.core.patients.load(patient) == before


def test_stopping_texts_is_at_once_and_for_everybody_on_the_phone(
    web: Site, phone: str, email: str
) -> None:
    patient = web.enrol(phone=phone, email=email)
    other = web.enrol("Ben", phone=phone)
    told = done(web, f"{link(web, patient)}/stop", what="sms")
    assert "No more texts will come" in told
    assert "text START to us" in told
    assert web.silent(patient)
    assert web.silent(other)
    assert not web.silent(patient, "email")


def test_a_start_restores_the_texts_that_were_stopped_on_the_page(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    send(web, f"{link(web, patient)}/stop", what="sms")
    web.wait(minutes=11)
    web.text(phone, "START")
    assert not web.silent(patient)


def test_e_mails_that_were_stopped_on_the_page_come_back_there(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    path = link(web, patient)
    assert "Get e-mails again" in done(web, f"{path}/stop", what="email")
    assert web.silent(patient, "email")
    assert "E-mails will come again" in done(web, f"{path}/start")
    assert not web.silent(patient, "email")


def test_what_staff_stopped_is_not_started_on_the_page(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    web.core.staff.stop(patient, source="test")
    path = link(web, patient)
    assert "Get e-mails again" not in said(web.client.get(path))
    done(web, f"{path}/start")
    assert web.silent(patient, "email")


def test_one_series_ends_and_the_other_goes_on(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    web.enrol(phone=phone, series="sleep-hygiene")
    told = done(web, f"{link(web, patient)}/stop", what="1")
    assert "This series has ended for you" in told
    fields = web.core.patients.load(patient)
    assert [each.status for each in fields.subscriptions()] == [Status.OPTED_OUT, Status.ACTIVE]
    for nonsense in ("9", "-1", "all", "", "\u00b2"):
        assert "Nothing was different" in done(web, f"{link(web, patient)}/stop", what=nonsense)


def test_all_that_is_held_can_be_read_and_downloaded(web: Site, phone: str, email: str) -> None:
    patient = web.enrol(phone=phone, email=email)
    path = link(web, patient)
    download = web.client.get(f"{path}/record.json")
    held = json.loads(download.text)
    assert (held["phone"], held["email"], held["given_name"]) == (phone, email, "Ana")
    assert {**held, "exported": ""} == {**web.core.holdings.of(patient), "exported": ""}
    assert "attachment" in download.headers["content-disposition"]
    readable = said(web.client.get(f"{path}/record"))
    for told in (phone, email, "Ana", "planned", "Texts: agreed on"):
        assert told in readable


def test_asking_to_be_erased_puts_it_before_staff_once(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    path = link(web, patient)
    for _ in range(2):
        assert "asked our staff" in done(web, f"{path}/erase")
    (task,) = [task for task in web.core.tasks.waiting() if patient in task.patients]
    assert task.kind is TaskKind.ERASURE
    assert web.core.patients.find(patient) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
def test_a_form_of_another_site_is_refused(web: Site, phone: str, headers: dict[str, str]) -> None:
    patient = web.enrol(phone=phone)
    for path in ("/stop", "/erase", "/links", "/pause", "/details", "/resume", "/start"):
        answer = web.client.post(link(web, patient) + path, data={"what": "sms"}, headers=headers)
        assert answer.status_code == 403
    assert not web.silent(patient)


def test_no_token_and_no_patient_is_in_any_log(web: Site, phone: str, email: str) -> None:
    patient = web.enrol(phone=phone, email=email)
    path = link(web, patient)
    with capture_logs() as lines:
        web.client.get(f"{path}?done=paused&x=secret")
        send(web, f"{path}/stop", what="sms")
        web.client.get(f"{path}/record.json")
        send(web, "/p", address=phone)
        routes = until(lambda: len(found := _routes(lines)) == 4 and found, "all are logged")
    assert routes == ["/p/{token}", "/p/{token}/stop", "/p/{token}/record.json", "/p"]
    for secret in (path[3:40], patient, phone, email, "Ana", "secret"):
        assert secret not in str(lines)


def _routes(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["route"] for line in lines if line["event"] == "request"]


def test_the_page_is_kept_nowhere_and_told_to_nobody(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    for path in ("", "/record", "/record.json"):
        headers = web.client.get(link(web, patient) + path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in headers["content-security-policy"]


def test_page_and_style_are_under_thirty_kilobytes(web: Site, phone: str, email: str) -> None:
    patient = web.enrol(phone=phone, email=email)
    web.enrol(phone=phone, email=email, series="sleep-hygiene")
    files = [link(web, patient), "/static/page.css", "/static/icon.svg"]
    assert sum(len(web.client.get(path).content) for path in files) < 30_000


def test_every_e_mail_leads_to_the_page(web: Site, email: str) -> None:
    patient = web.enrol(email=email)
    fields = web.core.patients.load(patient)
    url = web.core.composer.page_url([(patient, fields.links_ended)], web.core.business.now_ms())
    assert url.startswith(f"{PUBLIC_URL}/p/")
    assert "For Ana" in said(web.client.get(url.removeprefix(PUBLIC_URL)))


@pytest.mark.parametrize(("language", "told"), [("en", "by word of mouth"), ("es", "de palabra")])
def test_how_somebody_agreed_is_told_in_their_language(
    web: Site, phone: str, language: str, told: str
) -> None:
    patient = web.enrol(phone=phone, language=language)
    assert told in web.client.get(link(web, patient)).text
