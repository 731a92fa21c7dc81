"""The form for joining, and what a word texted to a clinic is; without a store."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import Catalog
from schedules.series import load_series
from service.clinics import SAMPLE_CLINIC
from service.enrolment.form import validate
from service.enrolment.joining_form import (
    NOTHING_GIVEN,
    JoinForm,
    area_timezone,
    enrolment_form,
    languages_of,
    normalised,
    plain_words,
    problems,
    shown_wording,
)
from service.enrolment.joining_limits import neighbourhood
from service.enrolment.zones import COMMON, place, zones_of

CATALOG = Catalog.load()
GOOD = JoinForm(
    given_name=" Ana  Maria ",
    phone="(503) 555-0142",
    email="Ana@Example.org",
    sms="yes",
    email_too="yes",
    language="en",
    timezone="America/Los_Angeles",
    state="OR",
    bedtime="22:30",
)
TYPED = st.text(max_size=40) | st.sampled_from(["", "yes", "(503) 555-0142", "a@b.example"])


def wrong(**changes: str) -> dict[str, str]:
    return problems(replace(GOOD, **changes), SAMPLE_CLINIC, CATALOG)


def test_a_good_form_has_no_problem_and_is_normalised() -> None:
    assert wrong() == {}
    form = normalised(GOOD, SAMPLE_CLINIC)
    assert (form.given_name, form.phone) == ("Ana Maria", "+15035550142")
    assert (form.email, form.series) == ("ana@example.org", "restless-legs")
    assert form.channels == ("sms", "email")


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = wrong(given_name="", phone="1", email="x", timezone="", bedtime="late", start="soon")
    assert list(found) == ["given_name", "phone", "email", "timezone", "bedtime", "start"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"sms": ""}, "sms", "tick_missing"),
        ({"email_too": ""}, "email_too", "tick_missing"),
        ({"phone": ""}, "phone", "address_missing"),
        ({"email": ""}, "email", "address_missing"),
        ({"phone": "", "email": "", "sms": "", "email_too": ""}, "phone", NOTHING_GIVEN),
        ({"series": "sleep-hygiene"}, "series", "series_unknown"),
        ({"language": "fr"}, "language", "language_unknown"),
        ({"state": "XX"}, "state", "state_unknown"),
    ],
)
def test_an_address_without_a_tick_or_a_tick_without_an_address_is_asked_about(
    changes: dict[str, str], field: str, code: str
) -> None:
    assert wrong(**changes) == {field: code}


@given(st.dictionaries(st.sampled_from(sorted(JoinForm.__slots__)), TYPED))
def test_whatever_is_typed_is_either_told_or_can_be_enrolled(typed: dict[str, str]) -> None:
    form = JoinForm.of({**GOOD.fields(), **typed})
    if problems(form, SAMPLE_CLINIC, CATALOG):
        return
    asked = {
        **normalised(form, SAMPLE_CLINIC).fields(),
        "clinic": SAMPLE_CLINIC.id,
        "method": "web",
        "wording": shown_wording(SAMPLE_CLINIC, "en").name,
    }
    for channel in form.channels:
        valid = validate(enrolment_form(asked, channel), {SAMPLE_CLINIC.id: SAMPLE_CLINIC}, CATALOG)
        assert tuple(valid.consents) == (channel,)
        assert (valid.phone is None) == (channel == "email")
    assert form.channels


def test_every_series_that_is_offered_counts_for_the_languages() -> None:
    both = SAMPLE_CLINIC.model_copy(update={"join_series": ("restless-legs", "sleep-hygiene")})
    assert "en" in languages_of(both, CATALOG)
    titles = [load_series(name).words("en").title for name in both.join_series]
    said = " ".join(shown_wording(both, "en").disclosures)
    assert all(title in said for title in titles)


@given(st.text(max_size=60))
def test_no_text_is_too_strange_to_be_read_as_words(text: str) -> None:
    for word in plain_words(text):
        assert word
        assert all(letter.isalnum() for letter in word)


def test_accents_and_invisible_letters_do_not_hide_a_word() -> None:
    assert plain_words("pi\u00e9rn\u200bas!") == ("PIERNAS",)


def test_an_area_tells_its_zone_where_it_has_one() -> None:
    assert area_timezone("+12125550123") == "America/New_York"
    assert area_timezone("+18005550123") is None


@pytest.mark.parametrize("country", ["US", "MX", "DE", "XX"])
def test_every_zone_on_offer_is_one(country: str) -> None:
    offered = (*COMMON.get(country, ()), *zones_of(country))
    assert len(set(offered)) == len(offered) > 0
    for zone in offered:
        assert str(ZoneInfo(zone)) == zone
        assert place(zone)


def test_sources_are_counted_by_their_network() -> None:
    assert neighbourhood("203.0.113.7") == neighbourhood("203.0.113.200") == "203.0.113.0/24"
    assert neighbourhood("2001:db8:1:2::/64") == "2001:db8:1:2::/64"
    assert neighbourhood("-") == "-"
