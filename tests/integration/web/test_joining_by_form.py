"""Joining by form, over HTTP and on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service.clinics import SAMPLE_CLINIC
from service.staff.addresses import NewAddress
from service.store.joins import Joins
from service.store.records import Status
from service.store.scripts import as_text
from service.store.sealed import SealedValues
from service.web.patient.join_tokens import FORM
from tests.support.joining import (
    CLINIC,
    SMTP,
    aged,
    ask,
    checked,
    filled,
    link_to,
    patients_of,
    queued,
    send,
    token_of,
)
from tests.support.web import PUBLIC_URL, Site, site

_networks = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("join"), **SMTP) as running:
        yield running


@pytest.fixture
def phone() -> str:
    return f"+1503556{next(_networks):04d}"


@pytest.fixture
def email() -> str:
    return f"joiner{next(_networks)}@example.com"


@pytest.fixture
def source() -> str:
    """An address in a network that no other test asks from."""
    return f"198.51.{next(_networks)}.7"


def test_nobody_is_a_patient_before_the_address_has_answered(
    web: Site, phone: str, email: str, source: str
) -> None:
    answer = ask(web, phone=phone, email=email, source=source)
    assert answer.status_code == 200
    assert "please confirm" in answer.text
    assert patients_of(web, "sms", phone) == patients_of(web, "email", email) == []
    assert [each.response.message for each in queued(web, phone)] == ["join-confirm"]
    assert [each.response.message for each in queued(web, email)] == ["join-confirm"]
    assert "/j/" in queued(web, email)[0].response.values["link"]


def test_what_was_asked_for_is_encrypted_and_vanishes_in_a_day(
    web: Site, phone: str, source: str
) -> None:
    ask(web, phone=phone, source=source, given_name="Wilhelmina")
    digest = web.core.suppressions.digest("sms", phone)
    keys = web.core.suppressions.keys(digest)
    identifier = web.core.client.get(keys.awaited(digest))
    assert identifier is not None
    key = keys.join(as_text(identifier))
    for name in (key, keys.awaited(digest)):
        assert 86_000_000 < web.core.client.pttl(name) <= 86_400_000
    held = b"".join(web.core.scripts.read_hash(key).values())
    assert b"Wilhelmina" not in held
    assert phone.encode() not in held


def test_the_link_in_the_mail_changes_nothing_until_its_button_is_pressed(
    web: Site, email: str, source: str
) -> None:
    ask(web, email=email, source=source)
    link = link_to(web, email)
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        web.client.request(method, link)
    assert patients_of(web, "email", email) == []
    page = web.client.get(link)
    assert SAMPLE_CLINIC.name in page.text
    assert email not in page.text
    assert "Ana" not in page.text
    done = web.client.post(link, headers={"X-Forwarded-For": "203.0.113.9"})
    assert "You have joined" in done.text
    (patient,) = patients_of(web, "email", email)
    fields = web.core.patients.load(patient)
    assert [each.status for each in fields.subscriptions()] == [Status.ACTIVE]
    assert web.core.patients.contact(fields).channels == ("email",)


def test_the_evidence_says_what_was_shown_when_to_whom_and_what_proved_the_address(
    web: Site, email: str, source: str
) -> None:
    ask(web, email=email, source=source)
    web.client.post(link_to(web, email), headers={"X-Forwarded-For": "203.0.113.9"})
    (consent,) = web.core.patients.consents(patients_of(web, "email", email)[0])
    assert (consent["channel"], consent["method"], consent["address"]) == ("email", "web", email)
    assert consent["wording"] == "2026-11/en"
    assert consent["ip"] == source
    assert consent["confirmed"] == "link from 203.0.113.9"
    assert consent["shown_at"] < consent["at"]
    assert consent["by"] == "join"


def test_pressing_twice_and_at_once_enrols_once(web: Site, email: str, source: str) -> None:
    ask(web, email=email, source=source)
    link = link_to(web, email)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: web.client.post(link).status_code, range(16)))
    assert set(answers) == {200}
    (patient,) = patients_of(web, "email", email)
    assert len(list(web.core.patients.load(patient).subscriptions())) == 1
    assert len(web.core.patients.consents(patient)) == 1
    assert "You have joined" in web.client.get(link).text


@pytest.mark.parametrize("first", ["sms", "email", "both"])
def test_each_channel_is_confirmed_for_itself_and_both_become_one_patient(
    web: Site, phone: str, email: str, source: str, first: str
) -> None:
    ask(web, phone=phone, email=email, source=source)
    link, by_text = link_to(web, email), web.core.joining.by_text

    def say_yes() -> None:
        assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM-{phone}") == "join-done"

    def press() -> None:
        assert web.client.post(link).status_code == 200

    if first == "both":
        with ThreadPoolExecutor(2) as pool:
            for done in (pool.submit(say_yes), pool.submit(press)):
                done.result()
    else:
        (say_yes if first == "sms" else press)()
        one = patients_of(web, first, phone if first == "sms" else email)
        contact = web.core.patients.contact(web.core.patients.load(one[0]))
        assert contact.channels == (first,)
        (press if first == "sms" else say_yes)()
    (patient,) = patients_of(web, "sms", phone)
    assert patients_of(web, "email", email) == [patient]
    fields = web.core.patients.load(patient)
    contact = web.core.patients.contact(fields)
    assert (contact.phone, contact.email) == (phone, email)
    assert contact.channels == ("sms", "email")
    assert len(list(fields.subscriptions())) == 1
    consents = web.core.patients.consents(patient)
    assert sorted(each["channel"] for each in consents) == ["email", "sms"]


def test_a_patient_who_was_there_before_is_not_widened_by_somebody_elses_mailbox(
    web: Site, phone: str, email: str, source: str
) -> None:
    before = web.enrol("Ana", phone=phone)
    ask(web, phone=phone, email=email, source=source)
    web.core.joining.by_text.confirm_by_text(phone, SAMPLE_CLINIC, "SM1")
    web.client.post(link_to(web, email))
    assert patients_of(web, "sms", phone) == [before]
    assert web.core.patients.contact(web.core.patients.load(before)).email is None
    assert len(web.core.patients.consents(before)) == 2
    (other,) = patients_of(web, "email", email)
    assert other != before


def test_an_address_that_staff_have_put_in_meanwhile_stands(
    web: Site, phone: str, email: str, source: str
) -> None:
    ask(web, phone=phone, email=email, source=source)
    web.core.joining.by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM-{phone}")
    (patient,) = patients_of(web, "sms", phone)
    entered = f"staff.{email}"
    new = NewAddress(channel="email", address=entered, consent="verbal", wording="2026-11")
    web.core.corrected_addresses.correct(patient, new, source="staff:x")
    assert web.client.post(link_to(web, email)).status_code == 200
    assert web.core.patients.contact(web.core.patients.load(patient)).email == entered
    digest = web.core.suppressions.digest("email", entered)
    web.core.suppressions.suppress("email", digest, reason="one_click", source="test")
    assert web.silent(patient, "email")


def test_fifty_copies_of_one_form_queue_one_confirmation(
    web: Site, phone: str, source: str
) -> None:
    second = checked(web, filled(web, phone=phone))
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: send(web, second, source), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(queued(web, phone)) == 1


def test_no_answer_tells_what_is_known_of_an_address(web: Site, source: str) -> None:
    new, known, gone, awaited = (f"+1503557{next(_networks):04d}" for _ in range(4))
    web.enrol("Ana", phone=known)
    web.enrol("Ana", phone=gone)
    digest = web.core.suppressions.digest("sms", gone)
    web.core.suppressions.suppress("sms", digest, reason="stop", source="test")
    ask(web, phone=awaited, source="198.18.77.1")
    answers, steps = [], []
    for number in (new, known, gone, awaited, known):
        second = checked(web, filled(web, phone=number))
        before = scripts_run(web)
        answers.append(send(web, second, source))
        steps.append({name: run - before[name] for name, run in scripts_run(web).items()})
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    headers = [{**answer.headers, "date": ""} for answer in answers]
    assert all(each == headers[0] for each in headers)
    assert all(each == steps[0] for each in steps)
    assert steps[0]["evalsha"] > 5
    assert all(answer.elapsed.total_seconds() >= 0.4 for answer in answers)
    assert len(queued(web, known)) == 1


def scripts_run(web: Site) -> dict[str, int]:
    """How often the store was asked to run a script, or to read a key."""
    stats = web.core.client.info("commandstats")
    return {
        name: stats.get(f"cmdstat_{name}", {}).get("calls", 0)
        for name in ("evalsha", "get", "hgetall")
    }


def test_an_address_is_written_to_once_an_hour_whoever_asks(web: Site, email: str) -> None:
    for each in range(6):
        assert ask(web, email=email, source=f"198.19.{each}.1").status_code == 200
    assert len(queued(web, email)) == 1


def test_a_network_that_asks_for_many_is_not_followed_any_more(web: Site, source: str) -> None:
    asked = [f"flood{next(_networks)}@example.com" for _ in range(14)]
    network = source.rpartition(".")[0]
    for number, each in enumerate(asked, 1):
        assert ask(web, email=each, source=f"{network}.{number}").status_code == 200
    assert [len(queued(web, each)) for each in asked] == [1] * 10 + [0] * 4


def test_a_form_that_is_sent_faster_than_anybody_types_is_asked_for_again(
    web: Site, email: str, source: str
) -> None:
    fields = filled(web, email=email)
    fresh = token_of(web.client.get(f"/join/{CLINIC}"), "token")
    hasty = web.client.post(f"/join/{CLINIC}", data={**fields, "token": fresh})
    assert "press the button once more" in hasty.text
    assert f'value="{email}"' in hasty.text
    second = web.client.post(f"/join/{CLINIC}", data=fields)
    hasty = send(web, {"checked": token_of(second, "checked")}, source)
    assert "press the button once more" in hasty.text
    assert queued(web, email) == []


@pytest.mark.parametrize("days", [1, -1])
def test_a_form_of_another_day_is_asked_for_again(web: Site, email: str, days: int) -> None:
    fields = filled(web, email=email)
    old = aged(web.core, FORM, fields["token"], days * 86_400_000)
    answer = web.client.post(f"/join/{CLINIC}", data={**fields, "token": old})
    assert "press the button once more" in answer.text


def test_who_fills_in_what_people_do_not_see_is_told_the_same_and_written_to_by_nobody(
    web: Site, phone: str, source: str
) -> None:
    other = f"+1503558{next(_networks):04d}"
    trapped = ask(web, phone=phone, source=source, website="http://spam.example")
    genuine = ask(web, phone=other, source=source)
    assert trapped.content == genuine.content
    assert queued(web, phone) == []
    assert len(queued(web, other)) == 1


@pytest.mark.parametrize("name", ["token", "checked"])
def test_a_made_up_or_borrowed_token_starts_nothing(
    web: Site, email: str, source: str, name: str
) -> None:
    fields = filled(web, email=email)
    other = web.core.keyring.seal_token("unsubscribe", b"{}")
    for token in ("", "x", other, fields["token"] + "A", web.core.keyring.seal_token("join", b"")):
        told = {"checked": token} if name == "checked" else {**fields, "token": token}
        answer = send(web, told, source)
        assert "press the button once more" in answer.text
    assert queued(web, email) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"given_name": ""}, "first name"),
        ({"phone": "555", "sms": "yes"}, "with its area code"),
        ({"sms": "yes"}, "with its area code"),
        ({"phone": "+15035550142"}, "Tick the box if you want texts"),
        ({"email": "ana@", "email_too": "yes"}, "Type an e"),
        ({"email_too": ""}, "Tick the box if you want e"),
        ({"email": "", "email_too": ""}, "or both"),
        ({"timezone": ""}, "time zone"),
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"state": "ZZ"}, "from the list"),
        ({"language": "tlh"}, "from the list"),
        ({"series": "sleep-hygiene"}, "from the list"),
        ({"bedtime": "25:00"}, "such as 22:30"),
        ({"start": "tomorrow"}, "as a date"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    web: Site, email: str, changes: dict[str, str], sentence: str
) -> None:
    fields = {**filled(web, email=email, state="CA"), **changes}
    answer = web.client.post(f"/join/{CLINIC}", data=fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'role="alert"' in answer.text
    if "given_name" not in changes:
        assert 'value="Ana"' in answer.text


def test_no_box_is_ticked_beforehand(web: Site) -> None:
    page = web.client.get(f"/join/{CLINIC}").text
    assert 'type="checkbox"' in page
    assert " checked" not in page


def test_the_disclosures_stand_on_the_form_in_the_readers_language(web: Site) -> None:
    english = web.client.get(f"/join/{CLINIC}").text
    for said in ("Message and data rates", "HELP", "STOP", "not encrypted", "How often"):
        assert said in english
    spanish = web.client.get(f"/join/{CLINIC}", headers={"Accept-Language": "es-MX"}).text
    assert 'lang="es"' in spanish
    assert "no van cifrados" in spanish
    assert web.client.get(f"/join/{CLINIC}?lang=es").text.count("Inscríbase") >= 1


def test_what_was_typed_can_be_changed_from_the_second_page(web: Site, email: str) -> None:
    second = checked(web, filled(web, email=email))
    answer = web.client.post(f"/join/{CLINIC}", data={**second, "change": "yes"})
    assert f'value="{email}"' in answer.text
    assert "checked" in answer.text


def test_one_clinic_has_its_form_at_join_itself_and_an_unknown_one_has_none(web: Site) -> None:
    answer = web.client.get("/join", follow_redirects=True)
    assert answer.url.path == f"/join/{CLINIC}"
    assert web.client.get("/join/nowhere").status_code == 404
    assert web.client.post("/join/nowhere", data={"a": "b"}).status_code == 404


def test_a_link_that_is_over_or_made_up_says_so(web: Site, email: str, source: str) -> None:
    ask(web, email=email, source=source)
    link = link_to(web, email)
    identifier = web.core.keyring.open_token("join", link.removeprefix("/j/")).decode()
    digest = web.core.suppressions.digest("email", email)
    web.core.client.delete(web.core.suppressions.keys(digest).join(identifier))
    for method in ("GET", "POST"):
        answer = web.client.request(method, link)
        assert answer.status_code == 410
        assert "Join again" in answer.text
        made_up = web.client.request(method, "/j/" + web.core.keyring.seal_token("x", b"y"))
        assert made_up.status_code == 404
    assert patients_of(web, "email", email) == []


def test_a_mailbox_that_was_stopped_meanwhile_is_not_opened_by_the_link(
    web: Site, email: str, source: str
) -> None:
    ask(web, email=email, source=source)
    link = link_to(web, email)
    leave = web.core.composer.unsubscribe_url(email).removeprefix(PUBLIC_URL)
    assert web.client.post(leave).status_code == 200
    answer = web.client.post(link)
    assert "was stopped" in answer.text
    assert patients_of(web, "email", email) == []


def test_what_was_asked_for_is_sealed_anew_with_everything_else(
    web: Site, email: str, source: str
) -> None:
    ask(web, email=email, source=source)
    link = link_to(web, email)
    ring = web.core.keyring.with_new_key()
    values = SealedValues(web.core.client, web.core.scripts, ring)
    found = [value for batch in values.batches() for value in batch if ":j:" in value.key]
    assert values.reseal(found) == len(found) > 0
    newer = Joins(
        web.core.client, web.core.scripts, ring, web.core.index, web.core.suppressions.keys
    )
    identifier = web.core.keyring.open_token("join", link.removeprefix("/j/")).decode()
    join = newer.find(identifier)
    assert join is not None
    assert join.asked["email"] == email


STEPS = st.lists(st.sampled_from(["yes", "press", "stop", "word"]), max_size=7)


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_in_whatever_order_people_answer_nobody_is_doubled_and_a_stop_stands(
    web: Site, steps: list[str]
) -> None:
    number = next(_networks)
    phone, email = f"+1503561{number:04d}", f"orders{number}@example.com"
    ask(web, phone=phone, email=email, source=f"198.20.{number % 250}.{number // 250}")
    link, by_text = link_to(web, email), web.core.joining.by_text
    word = by_text.keyword_of("LEGS", SAMPLE_CLINIC)
    assert word is not None
    wanted = begun = False
    for at, step in enumerate(steps):
        sid = f"SM{number}-{at}"
        if step == "word":
            begun = by_text.begin_by_text(phone, SAMPLE_CLINIC, word, sid) == "join-confirm"
        elif step == "stop":
            web.text(phone, "STOP")
            wanted = begun = False
        elif step == "press":
            assert web.client.post(link).status_code == 200
        elif by_text.confirm_by_text(phone, SAMPLE_CLINIC, sid) == "join-done":
            assert begun or "stop" not in steps[:at]
            wanted = True
    people = {*patients_of(web, "sms", phone), *patients_of(web, "email", email)}
    assert len(patients_of(web, "sms", phone)) <= 1
    assert len(patients_of(web, "email", email)) == int("press" in steps)
    for patient in people:
        fields = web.core.patients.load(patient)
        contact = web.core.patients.contact(fields)
        assert len(list(fields.subscriptions())) == 1
        consents = web.core.patients.consents(patient)
        named = [(consent["join"], consent["channel"]) for consent in consents]
        assert len(set(named)) == len(named)
        assert {consent["channel"] for consent in consents} == set(contact.channels)
        if "sms" in contact.channels:
            assert web.silent(patient) != wanted


def test_neither_addresses_names_nor_tokens_are_in_any_log(
    web: Site, phone: str, email: str, source: str
) -> None:
    with capture_logs() as lines:
        ask(web, phone=phone, email=email, source=source, given_name="Wilhelmina")
        link = link_to(web, email)
        web.client.post(link)
    said = str(lines)
    assert "join_confirmed" in said
    for secret in (phone, email, "Wilhelmina", link[3:40], source):
        assert secret not in said


def test_a_body_that_is_no_form_is_refused(web: Site) -> None:
    assert web.client.post(f"/join/{CLINIC}", json={"phone": "1"}).status_code == 415
    junk = {"content-type": "application/x-www-form-urlencoded"}
    body = b"\xff\xfe=%00%ff&&&==&token=%F0"
    answer = web.client.post(f"/join/{CLINIC}", content=body, headers=junk)
    assert answer.status_code == 200
    assert "press the button once more" in answer.text


def test_the_second_page_shows_what_was_typed_and_needs_no_script(web: Site, phone: str) -> None:
    answer = web.client.post(f"/join/{CLINIC}", data=filled(web, phone=phone))
    assert "<script" not in answer.text
    assert "(503) 55" in answer.text
    assert "Oregon" in answer.text
