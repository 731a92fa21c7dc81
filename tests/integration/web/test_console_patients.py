"""Patients in the console, over real HTTP: found, enrolled, seen, and all that is done for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from service.accounts.roles import Role
from service.clock import from_ms
from service.store import keys
from service.store.installation import LISTED
from service.store.keys import PartitionKeys, partition_of
from service.store.reply_records import Reply
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.pages import summary_of, text_of
from tests.support.polling import until
from tests.support.web import Site, served, site

NOON = "2026-03-03T20:00:00"
"""A Tuesday, noon in Portland."""
UNPROCESSABLE, MISSING, SEE_OTHER = 422, 404, 303


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("web")
    with site(directory, clinics=two_clinics(directory), clock=f"fast:1@{NOON}") as running:
        yield running


@pytest.fixture
def desk(web: Site) -> Desk:
    return signed_in(web, Role.STAFF, "riverside")


def enrol(web: Site, name: str = "Ana", **fields: str) -> str:
    return web.enrol(name, **{"clinic": "riverside", "state": "OR", **fields})


def said(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    assert answer.status_code in {200, UNPROCESSABLE}, answer.text
    return text_of(answer.text)


def form(**changes: str) -> dict[str, str]:
    fields = {
        "clinic": "riverside",
        "given_name": "Cora",
        "series": "restless-legs",
        "timezone": "America/New_York",
        "language": "en",
        "state": "NY",
        "bedtime": "22:30",
        "sms_consent": "",
        "email_consent": "",
        "wording": "2026-11",
    }
    return {**fields, **changes}


def test_a_patient_is_found_by_phone_and_nothing_of_it_is_in_an_address(
    web: Site, desk: Desk, phone: str
) -> None:
    ana = enrol(web, phone=phone)
    answer = desk.post("patients/search", query=f"({phone[2:5]}) {phone[5:8]} {phone[8:]}")
    assert f"console/patients/{ana}" in answer.text
    assert phone not in str(answer.url)
    assert "Patients on this phone" in said(answer)


def test_a_search_that_can_be_nothing_says_so_and_keeps_what_was_typed(desk: Desk) -> None:
    answer = desk.post("patients/search", query="12345")
    assert answer.status_code == UNPROCESSABLE
    assert 'value="12345"' in answer.text
    assert "too few digits" in said(answer)


def test_nobody_found_is_told_alike_for_nobody_and_for_another_clinics_patient(
    web: Site, desk: Desk, phone: str, email: str
) -> None:
    there = enrol(web, "Zelda", clinic="hillside", state="NY", phone=phone)
    answers = [
        said(desk.post("patients/search", query=query)) for query in (phone, email, "Zelda", there)
    ]
    for answer in answers:
        assert "Nobody of your clinics was found" in answer
    everywhere = signed_in(web, Role.ADMIN)
    assert there in everywhere.post("patients/search", query="zelda").text


def test_the_list_goes_on_page_by_page(web: Site, desk: Desk) -> None:
    made = [enrol(web, f"Page {n}", email=f"page{n}@example.org") for n in range(27)]
    first = desk.get("patients")
    listed = re.findall(r"console/patients/([0-9a-z]{12})\"", first.text)
    assert listed == made[:1:-1]
    (older,) = re.findall(r'href="[^"]*console/(patients\?after=[^"]+)" rel="next"', first.text)
    second = re.findall(r"console/patients/([0-9a-z]{12})\"", desk.get(older).text)
    assert second[:2] == made[1::-1]


def test_what_they_will_get_is_shown_before_anybody_is_enrolled_and_then_comes(
    web: Site, desk: Desk, phone: str
) -> None:
    typed = form(phone=phone, sms_consent="verbal")
    shown = desk.post("patients/check", **typed)
    told = said(shown)
    assert "What Cora will get" in told
    assert "EST (12:" in told, "the patient's clock, and the clinic's"
    assert "PST at the clinic" in told
    assert web.core.finding.search(phone).found == ()
    saved = desk.follow("patients", **typed)
    assert "Enrolled." in said(saved)
    (found,) = web.core.finding.search(phone).found
    assert str(saved.url).rpartition("/")[2].startswith(found.contact.id)
    (consent,) = web.core.patients.consents(found.contact.id)
    assert consent["by"] == desk.member.source
    again = desk.follow("patients", **typed)
    assert found.contact.id in str(again.url), "a double click enrols once"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given_name": ""}, "given_name"),
        ({"phone": "12"}, "phone"),
        ({"sms_consent": ""}, "sms_consent"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"bedtime": "late"}, "bedtime"),
        ({"start": "soon"}, "start"),
        ({"series": "nothing"}, "series"),
        ({"wording": ""}, "wording"),
        ({"clinic": "hillside"}, "clinic"),
    ],
)
def test_a_form_that_is_wrong_comes_back_with_what_was_typed(
    desk: Desk, phone: str, changes: dict[str, str], field: str
) -> None:
    typed = form(**{"phone": phone, "sms_consent": "verbal", **changes})
    for path in ("patients/check", "patients"):
        answer = desk.post(path, **typed)
        assert answer.status_code == UNPROCESSABLE
        assert f'href="#{field}"' in answer.text
        if field != "given_name":
            assert 'value="Cora"' in answer.text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", ["patients/check", "patients"])
def test_all_that_is_wrong_with_a_form_is_told_at_once_and_at_each_field(
    web: Site, path: str, language: str
) -> None:
    desk = signed_in(web, Role.STAFF, "riverside", language=language)
    wrong = form(given_name=" ", phone="12", bedtime="late", start="soon", wording="")
    answer = desk.post(path, **wrong)
    assert answer.status_code == UNPROCESSABLE
    fields = ["given_name", "phone", "sms_consent", "wording", "start", "bedtime"]
    assert [field for field, _ in summary_of(answer)] == fields, "in the order of the page"
    for field, told in summary_of(answer):
        assert f'<p class="fault" id="{field}-fault">{told}</p>' in answer.text
        control = re.findall(rf'<(?:input|select) id="{field}"[^>]*>', answer.text)
        assert len(control) == 1
        assert re.search(rf'aria-describedby="[^"]*{field}-fault"', control[0])
        assert 'aria-invalid="true"' in control[0]
    assert answer.text.count('aria-invalid="true"') == len(fields)


def test_what_is_known_only_with_a_form_that_is_right_is_told_after_it(
    desk: Desk, phone: str
) -> None:
    typed = form(phone=phone, sms_consent="verbal", clinic="hillside")
    assert [field for field, _ in summary_of(desk.post("patients/check", **typed))] == ["clinic"]
    answer = desk.post("patients/check", **{**typed, "given_name": "", "bedtime": "25:00"})
    assert [field for field, _ in summary_of(answer)] == ["given_name", "bedtime"]


def test_a_form_without_any_address_asks_for_one_or_both(desk: Desk) -> None:
    (told,) = summary_of(desk.post("patients/check", **form()))
    assert told == ("phone", "Give a phone number, an e-mail address, or both.")


def test_an_address_that_has_opted_out_is_told_before_the_enrolment(
    web: Site, desk: Desk, phone: str
) -> None:
    ben = enrol(web, "Ben", phone=phone)
    web.core.staff.stop(ben, source="test")
    told = said(desk.post("patients/check", **form(phone=phone, sms_consent="verbal")))
    assert "This phone has opted out before" in told
    assert "nothing would be sent at all" in told
    assert "Another patient uses one of these addresses" in told


def test_the_patients_page_tells_who_what_next_and_what_happened(
    web: Site, desk: Desk, phone: str, email: str
) -> None:
    ana = enrol(web, phone=phone, email=email)
    web.core.staff.pause(ana, series=None, source=desk.member.source)
    told = said(desk.get(f"patients/{ana}"))
    for wanted in (phone, email, "Paused", "0 of", "Agreed to texts (by word of mouth)"):
        assert wanted in told
    assert f"By {desk.member.name}." in told
    assert "America/Los Angeles" in told


def test_the_timeline_names_the_zone_and_quotes_the_patient(
    web: Site, desk: Desk, phone: str
) -> None:
    ana = enrol(web, phone=phone, timezone="America/New_York", state="NY")
    web.text(phone, "my legs are a 7 today")
    told = said(desk.get(f"patients/{ana}"))
    assert "“my legs are a 7 today”" in told
    assert re.search(r"\d:\d\d pm EST \(\d+:\d\d pm PST at the clinic\)", told)


def test_older_days_are_a_page_away(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    before = web.core.business.now_ms()
    try:
        web.core.client.hset("av:clock", "now", before + 30 * 86_400_000)
        page = desk.get(f"patients/{ana}")
        assert "Agreed to texts" not in said(page).partition("What they agreed to")[0]
        (older,) = re.findall(r'href="[^"]*console/(patients/[^"]+)" rel="next"', page.text)
        older_page = desk.get(older)
        (oldest,) = re.findall(r'href="[^"]*console/(patients/[^"]+)" rel="next"', older_page.text)
        assert "Agreed to texts" in said(desk.get(oldest))
    finally:
        web.core.client.hset("av:clock", "now", before)


def test_in_spanish_the_page_has_no_english_left(web: Site, phone: str, email: str) -> None:
    desk = signed_in(web, Role.STAFF, "riverside", language="es")
    ana = enrol(web, phone=phone, email=email)
    core = web.core
    core.staff.pause(ana, series=None, source=desk.member.source)
    core.staff.resume(ana, series=None, source="cli:x")
    core.staff.stop(ana, source="page", channels=("email",))
    web.text(phone, "stop")
    told = said(desk.get(f"patients/{ana}"))
    for wanted in ("En pausa", "Reanudado", "Se dio de baja", "Aceptó textos (de palabra)"):
        assert wanted in told
    for english in ("Paused", "Resumed", "Opted out", "Agreed", "Stopped", " by "):
        assert english not in told


def test_that_a_page_was_seen_is_in_the_audit_once(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    desk.get(f"patients/{ana}")
    entries = web.core.audit.of(PartitionKeys(partition_of(ana)), [ana], 0)
    seen = [entry for entry in entries if entry.what == "seen"]
    assert [(entry.on, entry.by) for entry in seen] == [(ana, desk.member.source)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.STAFF, Role.ADMIN])
def test_a_patient_of_another_clinic_does_not_exist_on_any_page(
    web: Site, role: Role, phone: str
) -> None:
    desk = signed_in(web, role, "riverside")
    there = enrol(web, "Zoe", clinic="hillside", state="NY", phone=phone)
    for path in ("", "/details", "/stop", "/erase", "/message", "/series", "/address/phone"):
        assert desk.get(f"patients/{there}{path}").status_code in {MISSING, 403}
    if role is Role.VIEWER:
        return
    before = web.core.patients.load(there).fields
    for path, fields in {
        "pause/1": {},
        "resume/1": {},
        "restart/1": {},
        "move/1": {"start": "2026-03-09", "sure": "1"},
        "details": {"bedtime": "21:00"},
        "stop": {"what": "all", "sure": "1"},
        "erase": {"sure": "1"},
        "export": {},
        "series": {"series": "sleep-hygiene", "sure": "1"},
        "message": {"message": "walking", "channel": "sms"},
        "message/see": {"message": "walking", "channel": "sms"},
        "address/phone": {"address": "5035550123", "consent": "verbal", "wording": "2026-11"},
    }.items():
        assert desk.post(f"patients/{there}/{path}", **fields).status_code == MISSING, path
    assert web.core.patients.load(there).fields == before


def test_pausing_and_resuming_a_series(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    assert desk.get(f"patients/{ana}/pause/1").status_code == 200
    wrong = desk.post(f"patients/{ana}/pause/1", until="2020-01-01")
    assert wrong.status_code == UNPROCESSABLE
    day = from_ms(web.core.business.now_ms()).date() + timedelta(days=9)
    told = said(desk.follow(f"patients/{ana}/pause/1", until=day.isoformat()))
    assert "Paused. " in told
    assert "until Thursday, March 12" in told
    assert "Resumed." in said(desk.follow(f"patients/{ana}/resume/1"))
    assert "Nothing was different" in said(desk.follow(f"patients/{ana}/resume/1"))
    assert desk.get(f"patients/{ana}/pause/7").status_code == MISSING


def test_moving_a_series_shows_its_new_times_first(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    day = from_ms(web.core.business.now_ms()).date() + timedelta(days=20)
    shown = desk.post(f"patients/{ana}/move/1", start=day.isoformat())
    assert "this is left" in said(shown)
    known = web.core.patients.load(ana).subscription(1)
    assert known is not None
    assert known.start != day, "nothing is changed yet"
    told = said(desk.follow(f"patients/{ana}/move/1", start=day.isoformat(), sure="1"))
    assert "Moved. What is left" in told
    assert "Moved to begin on" in told
    wrong = desk.post(f"patients/{ana}/move/1", start="1990-01-01")
    assert wrong.status_code == UNPROCESSABLE


def test_details_and_the_preferred_way_change(
    web: Site, desk: Desk, phone: str, email: str
) -> None:
    ana = enrol(web, phone=phone, email=email)
    assert desk.get(f"patients/{ana}/details").status_code == 200
    told = said(desk.follow(f"patients/{ana}/details", prefers="email", bedtime="21:15"))
    assert "Changed: bedtime, preferred way" in told
    contact = web.core.patients.contact(web.core.patients.load(ana))
    assert (contact.prefers, contact.bedtime.isoformat()) == ("email", "21:15:00")
    wrong = desk.post(f"patients/{ana}/details", timezone="Mars/Base")
    assert wrong.status_code == UNPROCESSABLE


def test_a_corrected_phone_needs_consent_anew(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    path, new = f"patients/{ana}/address/phone", "(503) 555-7799"
    assert phone in desk.get(path).text
    for fields in (
        {"address": new, "consent": "", "wording": "2026-11"},
        {"address": new, "consent": "verbal", "wording": ""},
        {"address": "12", "consent": "verbal", "wording": "2026-11"},
        {"address": phone, "consent": "verbal", "wording": "2026-11"},
    ):
        assert desk.post(path, **fields).status_code == UNPROCESSABLE
    wrong = desk.post(path, address="", consent="", wording="")
    assert [field for field, _ in summary_of(wrong)] == ["address", "consent", "wording"]
    told = said(desk.follow(path, address=new, consent="verbal", wording="2026-11"))
    assert "Corrected. From now on" in told
    assert "+15035557799" in told
    assert desk.get(f"patients/{ana}/address/fax").status_code == MISSING


def test_what_was_said_at_an_address_before_it_was_corrected_is_still_told(
    web: Site, desk: Desk, phone: str
) -> None:
    ana, new = enrol(web, phone=phone), "+15035557711"
    web.text(phone, "how long does this go on")
    before = web.core.business.now_ms()
    try:
        web.core.client.hset("av:clock", "now", before + 60_000)
        fields = {"address": new, "consent": "verbal", "wording": "2026-11"}
        desk.follow(f"patients/{ana}/address/phone", **fields)
        # A text counts from when it came in, which is a little before it is recorded.
        web.core.client.hset("av:clock", "now", before + 120_000)
        web.text(phone, "who is this")
        web.text(new, "thank you so much")
        told = said(desk.get(f"patients/{ana}"))
        assert "how long does this go on" in told
        assert "thank you so much" in told
        assert "who is this" not in told, "the old number is somebody else's now"
        held = web.core.holdings.of(ana)["replies"]
        assert [each["text"] for each in held] == ["how long does this go on", "thank you so much"]
        web.core.erasure.erase(ana, source="test")
        old = web.core.suppressions.digest("sms", phone)
        words = [
            web.core.replies.content(each.what)
            for each in web.core.conversations.of(old)
            if isinstance(each.what, Reply)
        ]
        assert words == [{}, {}], "of nobody that we know"
    finally:
        web.core.client.hset("av:clock", "now", before)


def test_stopping_asks_to_be_sure_and_then_stops(
    web: Site, desk: Desk, phone: str, email: str
) -> None:
    ana = enrol(web, phone=phone, email=email)
    path = f"patients/{ana}/stop"
    assert desk.post(path, what="email").status_code == UNPROCESSABLE
    assert desk.post(path, what="fax", sure="1").status_code == UNPROCESSABLE
    assert not web.silent(ana, "email")
    told = said(desk.follow(path, what="email", sure="1"))
    assert "stopped by the clinic" in told
    assert (web.silent(ana, "email"), web.silent(ana)) == (True, False)
    desk.follow(path, what="1", sure="1")
    subscription = web.core.patients.load(ana).subscription(1)
    assert subscription is not None
    assert subscription.status.word == "opted_out"


def test_a_series_that_was_stopped_by_mistake_goes_on_by_a_button(
    web: Site, desk: Desk, phone: str
) -> None:
    ana = enrol(web, phone=phone)
    button, undo = f"console/patients/{ana}/restart/1", f"patients/{ana}/restart/1"
    assert button not in desk.get(f"patients/{ana}").text
    stopped = desk.follow(f"patients/{ana}/stop", what="1", sure="1")
    assert button in stopped.text
    assert "Was that a mistake? Then let it go on where it was, until Tuesday, March 10" in said(
        stopped
    )
    viewer = signed_in(web, Role.VIEWER, "riverside")
    assert button not in viewer.get(f"patients/{ana}").text
    told = said(desk.follow(undo))
    assert "Undone. The series goes on where it was." in told
    assert "The stop of this series was undone" in told
    assert f"By {desk.member.name}." in told
    assert "Was that a mistake?" not in told
    assert "Nothing was different" in said(desk.follow(undo)), "a double click"
    assert desk.post(f"patients/{ana}/restart/7").status_code == MISSING
    entries = web.core.audit.of(PartitionKeys(partition_of(ana)), [ana], 0)
    assert [e.by for e in entries if e.what == "restarted"] == [desk.member.source]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("stop_first", [False, True])
def test_a_text_that_says_stop_stands_whether_it_comes_before_or_after_the_stop_is_undone(
    web: Site, phone: str, language: str, *, stop_first: bool
) -> None:
    desk = signed_in(web, Role.STAFF, "riverside", language=language)
    ana = enrol(web, phone=phone)
    desk.follow(f"patients/{ana}/stop", what="1", sure="1")
    if stop_first:
        web.text(phone, "stop")
    answer = desk.follow(f"patients/{ana}/restart/1")
    told = said(answer)
    assert ('class="notice care" role="status"' in answer.text) == stop_first
    wanted = ("Not undone: the patient", "No se deshizo") if stop_first else ("Undone", "Deshecho")
    assert wanted[language == "es"] in told
    if not stop_first:
        web.text(phone, "stop")
    page = desk.get(f"patients/{ana}")
    assert "restart/1" not in page.text
    assert web.silent(ana)
    subscription = web.core.patients.load(ana).subscription(1)
    assert subscription is not None
    assert subscription.status.word == "opted_out"


def test_a_further_series_is_seen_and_added(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, phone=phone)
    path = f"patients/{ana}/series"
    assert desk.get(path).status_code == 200
    assert "This will come" in said(desk.post(path, series="sleep-hygiene"))
    assert desk.post(path, series="restless-legs").status_code == UNPROCESSABLE
    assert len(list(web.core.patients.load(ana).subscriptions())) == 1
    assert "Added." in said(desk.follow(path, series="sleep-hygiene", sure="1"))
    assert len(list(web.core.patients.load(ana).subscriptions())) == 2


def test_one_message_is_seen_sent_once_and_refused_at_night_with_the_hour(
    web: Site, desk: Desk, phone: str
) -> None:
    ana, ben = enrol(web, phone=phone), enrol(web, "Ben", phone=phone)
    path, chosen = f"patients/{ana}/message", {"message": "walking", "channel": "sms"}
    assert desk.get(path).status_code == 200
    shown = said(desk.post(f"{path}/see", **chosen))
    assert "Riverside Vein Clinic: Put on your shoes" in shown
    assert "Send it now" in shown
    assert "On its way." in said(desk.follow(path, **chosen))
    assert "On its way." in said(desk.follow(path, **chosen)), "a double click"
    page = said(desk.get(f"patients/{ana}"))
    assert page.count("Ten minutes out the door, by text, outside of a series") == 1
    other = {"message": "yoga", "channel": "sms"}
    told = said(desk.post(path, **other))
    assert "had a message of a series that day" in told
    before = web.core.business.now_ms()
    try:
        web.core.client.hset("av:clock", "now", before + 11 * 3_600_000)
        late = said(desk.post(f"patients/{ben}/message", **chosen))
        assert "It may go from Wednesday, March 4, 8:00 am PST on." in late
        assert "Send it now" not in late.partition("Choose another")[0].replace(
            "Send Ben one message now", ""
        )
    finally:
        web.core.client.hset("av:clock", "now", before)
    assert desk.post(path, message="staff-alert", channel="sms").status_code == UNPROCESSABLE
    assert desk.post(path, message="walking", channel="fax").status_code == UNPROCESSABLE


def test_what_is_held_is_exported_and_that_is_in_the_audit(
    web: Site, desk: Desk, phone: str
) -> None:
    ana = enrol(web, phone=phone)
    answer = desk.post(f"patients/{ana}/export")
    assert json.loads(answer.content)["phone"] == phone
    assert answer.headers["content-disposition"].endswith(f'"patient-{ana}.json"')
    entries = web.core.audit.of(PartitionKeys(partition_of(ana)), [ana], 0)
    assert [e.by for e in entries if e.what == "exported"] == [desk.member.source]


def test_erasing_asks_to_be_sure_and_then_nobody_is_there(
    web: Site, desk: Desk, phone: str
) -> None:
    ana = enrol(web, phone=phone)
    assert desk.post(f"patients/{ana}/erase").status_code == UNPROCESSABLE
    assert "Erased." in said(desk.follow(f"patients/{ana}/erase", sure="1"))
    assert desk.get(f"patients/{ana}").status_code == MISSING
    assert "Nobody of your clinics" in said(desk.post("patients/search", query=phone))


def test_a_viewer_sees_and_changes_nothing(web: Site, phone: str) -> None:
    ana = enrol(web, phone=phone)
    viewer = signed_in(web, Role.VIEWER, "riverside")
    page = viewer.get(f"patients/{ana}")
    assert "What you can do" not in said(page)
    assert f"patients/{ana}/" not in page.text
    assert "Enrol a patient" not in said(viewer.get("patients"))


def test_names_are_shown_as_text_and_never_as_markup(web: Site, desk: Desk, phone: str) -> None:
    ana = enrol(web, "<b>Ana</b>", phone=phone)
    for page in (
        desk.get("patients"),
        desk.get(f"patients/{ana}"),
        desk.get(f"patients/{ana}/stop"),
    ):
        assert "<b>Ana" not in page.text
        assert "&lt;b&gt;Ana" in page.text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "\x00",
        "\u202e'; DROP TABLE--",
        "{{ 7*7 }}",
        "9" * 300,
        "-1",
        "9999-12-31",
        "é" * 300,
        "1.5",
    ],
)
def test_nothing_that_can_be_typed_breaks_a_page(
    web: Site, desk: Desk, phone: str, value: str
) -> None:
    ana = enrol(web, phone=phone)
    forms: dict[str, tuple[str, ...]] = {
        "patients/search": ("query", "after"),
        "patients/check": tuple(form()),
        "patients/new": tuple(form()),
        f"patients/{ana}/details": ("language", "timezone", "bedtime", "prefers"),
        f"patients/{ana}/address/phone": ("address", "consent", "wording"),
        f"patients/{ana}/address/email": ("address", "consent", "wording"),
        f"patients/{ana}/pause/1": ("until",),
        f"patients/{ana}/move/1": ("start",),
        f"patients/{ana}/series": ("series", "start"),
        f"patients/{ana}/stop": ("what",),
        f"patients/{ana}/message": ("message", "channel"),
        f"patients/{ana}/message/see": ("message", "channel"),
    }
    for path, fields in forms.items():
        answer = desk.post(path, **dict.fromkeys(fields, value))
        assert answer.status_code in {200, SEE_OTHER, UNPROCESSABLE}, (path, answer.status_code)
    for address in (f"patients/{ana}", "patients"):
        answer = desk.get(f"{address}?until={quote(value)}&after={quote(value)}")
        assert answer.status_code == 200, address


def test_whoever_was_enrolled_before_there_were_lists_is_found_soon_after_the_start(
    web: Site, phone: str
) -> None:
    ana = enrol(web, "Wilhelmina", phone=phone)
    client = web.core.client
    for key in client.scan_iter("?p*:l:*"):
        client.delete(key)
    client.hdel(keys.INSTALLATION, LISTED)
    assert web.core.finding.search("wilhelmina").found == ()
    with served(web.core):
        until(lambda: web.core.finding.search("wilhelmina").found, "everybody is listed")
    assert [found.contact.id for found in web.core.finding.search("wilhelmina").found] == [ana]
