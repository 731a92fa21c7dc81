"""Joining by a clinic's word: what the inbox calls, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from service.clinics import SAMPLE_CLINIC, Clinic
from service.enrolment.joining_by_text import JoiningByText, JoinKeyword
from service.store.records import Status
from tests.support.joining import SMTP, ask, patients_of
from tests.support.web import Site, site

_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("word"), **SMTP) as running:
        yield running


@pytest.fixture
def by_text(web: Site) -> JoiningByText:
    return web.core.joining.by_text


@pytest.fixture
def phone() -> str:
    return f"+1503559{next(_numbers):04d}"


def texted(by_text: JoiningByText, phone: str, said: str, sid: str) -> str:
    word = by_text.keyword_of(said, SAMPLE_CLINIC)
    assert word is not None
    return by_text.begin_by_text(phone, word.clinic, word, sid)


def digest_of(web: Site, phone: str) -> str:
    return web.core.suppressions.digest("sms", phone)


@pytest.mark.parametrize(
    "said", ["LEGS", "legs", " Legs! ", "Legs.", "LEGS LEGS", "\u201clegs\u201d"]
)
def test_the_word_is_known_as_a_whole_text(by_text: JoiningByText, said: str) -> None:
    assert by_text.keyword_of(said, SAMPLE_CLINIC) == JoinKeyword("LEGS", "en", SAMPLE_CLINIC)


@pytest.mark.parametrize(
    "said", ["my legs hurt", "LEGS STOP", "leg", "", "\u2728", "legs7", "STOP"]
)
def test_a_text_with_anything_else_in_it_is_not_the_word(by_text: JoiningByText, said: str) -> None:
    assert by_text.keyword_of(said, SAMPLE_CLINIC) is None


def test_the_word_is_that_of_the_clinic_that_was_texted(by_text: JoiningByText) -> None:
    other = Clinic(**{**SAMPLE_CLINIC.model_dump(), "id": "hill", "join_keyword": "HILL"})
    assert by_text.keyword_of("LEGS", other) is None
    assert by_text.keyword_of("LEGS", None) is not None


def test_the_word_alone_makes_nobody_a_patient_and_a_yes_does(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    assert texted(by_text, phone, "LEGS", f"SM{phone}a") == "join-confirm"
    assert by_text.waits_for(digest_of(web, phone))
    assert patients_of(web, "sms", phone) == []
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-done"
    (patient,) = patients_of(web, "sms", phone)
    fields = web.core.patients.load(patient)
    contact = web.core.patients.contact(fields)
    assert (contact.given_name, contact.channels, contact.state) == ("", ("sms",), None)
    assert (contact.timezone, contact.language) == ("America/Los_Angeles", "en")
    assert [each.series for each in fields.subscriptions()] == ["restless-legs"]
    (consent,) = web.core.patients.consents(patient)
    assert (consent["method"], consent["wording"]) == ("text-in", "2026-11/en")
    assert consent["confirmed"] == f"text SM{phone}a, reply SM{phone}b"
    assert not by_text.waits_for(digest_of(web, phone))


def test_fifty_copies_of_each_text_make_one_patient(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    with ThreadPoolExecutor(50) as pool:
        begun = pool.map(lambda _: texted(by_text, phone, "LEGS", f"SM{phone}a"), range(50))
        assert set(begun) == {"join-confirm"}
        said = pool.map(
            lambda _: by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b"), range(50)
        )
        assert set(said) == {"join-done"}
    (patient,) = patients_of(web, "sms", phone)
    assert len(list(web.core.patients.load(patient).subscriptions())) == 1
    assert len(web.core.patients.consents(patient)) == 1


def test_a_second_yes_is_none_of_joinings_business(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    texted(by_text, phone, "LEGS", f"SM{phone}a")
    by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b")
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}c") == ""
    assert len(web.core.patients.consents(patients_of(web, "sms", phone)[0])) == 1


def test_a_yes_that_nothing_waits_for_is_told_so(by_text: JoiningByText, phone: str) -> None:
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, "SMx") == "join-expired"


def test_a_yes_to_another_clinics_number_confirms_nothing(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    texted(by_text, phone, "LEGS", f"SM{phone}a")
    other = Clinic(**{**SAMPLE_CLINIC.model_dump(), "id": "hill"})
    assert by_text.confirm_by_text(phone, other, f"SM{phone}b") == ""
    assert by_text.waits_for(digest_of(web, phone))


def test_a_stop_between_the_word_and_the_yes_is_heeded(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    texted(by_text, phone, "LEGS", f"SM{phone}a")
    assert web.text(phone, "STOP").status_code == 200
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-expired"
    assert patients_of(web, "sms", phone) == []
    assert web.core.suppressions.stand(digest_of(web, phone)).reasons == ("stop",)
    assert not by_text.waits_for(digest_of(web, phone))


def test_who_stopped_long_ago_can_join_anew_by_the_word(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    assert web.text(phone, "STOP").status_code == 200
    assert texted(by_text, phone, "LEGS", f"SM{phone}a") == "join-confirm"
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-done"
    (patient,) = patients_of(web, "sms", phone)
    assert not web.silent(patient)
    (subscription,) = web.core.patients.load(patient).subscriptions()
    assert subscription.status is Status.ACTIVE


@pytest.mark.parametrize("reason", ["staff", "invalid"])
def test_a_number_that_staff_have_closed_is_not_opened_by_the_word(
    web: Site, by_text: JoiningByText, phone: str, reason: str
) -> None:
    web.core.suppressions.suppress("sms", digest_of(web, phone), reason=reason, source="staff:ana")
    assert texted(by_text, phone, "LEGS", f"SM{phone}a") == "help"
    assert not by_text.waits_for(digest_of(web, phone))


def test_a_yes_to_a_form_does_not_lift_a_stop(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    ask(web, phone=phone, source="192.0.2.9")
    assert web.text(phone, "STOP").status_code == 200
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-expired"
    assert patients_of(web, "sms", phone) == []


def test_one_who_is_in_the_series_already_stays_one_patient_with_newer_evidence(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    before = web.enrol("Ana", phone=phone, email=f"{phone[2:]}@example.com")
    texted(by_text, phone, "LEGS", f"SM{phone}a")
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-done"
    assert patients_of(web, "sms", phone) == [before]
    contact = web.core.patients.contact(web.core.patients.load(before))
    assert (contact.given_name, contact.channels) == ("Ana", ("sms", "email"))
    methods = [each["method"] for each in web.core.patients.consents(before)]
    assert methods == ["verbal", "verbal", "text-in"]


def test_joining_is_forgotten_when_it_is_told_to_be(
    web: Site, by_text: JoiningByText, phone: str
) -> None:
    texted(by_text, phone, "LEGS", f"SM{phone}a")
    by_text.forget(digest_of(web, phone))
    assert not by_text.waits_for(digest_of(web, phone))
    assert by_text.confirm_by_text(phone, SAMPLE_CLINIC, f"SM{phone}b") == "join-expired"


def test_without_a_zone_of_the_clinic_that_of_the_phones_area_is_taken(
    web: Site, by_text: JoiningByText
) -> None:
    nowhere = Clinic(**{**SAMPLE_CLINIC.model_dump(), "timezone": None})
    word = JoinKeyword("LEGS", "en", nowhere)
    assert by_text.begin_by_text("+12125550123", nowhere, word, "SMny") == "join-confirm"
    by_text.confirm_by_text("+12125550123", nowhere, "SMny2")
    (patient,) = patients_of(web, "sms", "+12125550123")
    contact = web.core.patients.contact(web.core.patients.load(patient))
    assert contact.timezone == "America/New_York"
    assert by_text.begin_by_text("+18005550123", nowhere, word, "SMtf") == "help"
