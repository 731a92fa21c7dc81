"""The enrolment form: the first thing that is wrong is told by field, code and remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import Catalog
from service.clinics import SAMPLE_CLINIC, Clinic
from service.enrolment.form import EnrolmentForm, ValidForm, judge, validate
from service.errors import InvalidInput

CATALOG = Catalog.load()
CLINICS = {SAMPLE_CLINIC.id: SAMPLE_CLINIC}
GOOD = EnrolmentForm(
    clinic="riverside",
    given_name="Ana",
    series="restless-legs",
    timezone="America/Los_Angeles",
    phone="(503) 555-0142",
    email="Ana@Example.org",
    language="en",
    state="OR",
    bedtime="22:30",
    start="2026-03-02",
    sms_consent="verbal",
    email_consent="written",
    wording="2026-01",
)


def checked(form: EnrolmentForm = GOOD, clinics: dict[str, Clinic] | None = None) -> ValidForm:
    return validate(form, CLINICS if clinics is None else clinics, CATALOG)


def test_a_good_form_is_normalised() -> None:
    valid = checked()
    assert (valid.phone, valid.email) == ("+15035550142", "ana@example.org")
    assert (valid.bedtime, valid.start) == (time(22, 30), date(2026, 3, 2))
    assert valid.consents == {"sms": "verbal", "email": "written"}
    assert (valid.series.name, valid.language, valid.state) == ("restless-legs", "en", "OR")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"clinic": "nowhere"}, "clinic", "clinic_unknown"),
        ({"given_name": ""}, "given_name", "name_missing"),
        ({"given_name": " \t "}, "given_name", "name_missing"),
        ({"given_name": "A" * 61}, "given_name", "name_bad"),
        ({"given_name": "Ana\x00"}, "given_name", "name_bad"),
        ({"given_name": "Ana\u202e"}, "given_name", "name_bad"),
        ({"phone": "", "email": "", "sms_consent": "", "email_consent": ""}, "phone", "address_"),
        ({"phone": "555"}, "phone", "phone_"),
        ({"phone": "4.155551E+10"}, "phone", "phone_"),
        ({"phone": "+15035550142 and more"}, "phone", "phone_"),
        ({"email": "ana"}, "email", "email_"),
        ({"email": "ana@"}, "email", "email_"),
        ({"email": "ana@example.org\nBcc: x@example.org"}, "email", "email_"),
        ({"series": ""}, "series", "series_unknown"),
        ({"series": "restless-arms"}, "series", "series_unknown"),
        ({"series": "../restless-legs"}, "series", "series_unknown"),
        ({"language": "tlh"}, "language", "language_unknown"),
        ({"language": ""}, "language", "language_unknown"),
        ({"bedtime": "25:00"}, "bedtime", "bedtime_bad"),
        ({"bedtime": "half past ten"}, "bedtime", "bedtime_bad"),
        ({"bedtime": "22.30"}, "bedtime", "bedtime_bad"),
        ({"timezone": "Mars/Olympus"}, "timezone", "timezone_unknown"),
        ({"timezone": ""}, "timezone", "timezone_missing"),
        ({"timezone": "../../etc/passwd"}, "timezone", "timezone_unknown"),
        ({"state": "Oregon"}, "state", "state_unknown"),
        ({"state": "ZZ"}, "state", "state_unknown"),
        ({"start": "03/02/2026"}, "start", "date_bad"),
        ({"start": "2026-02-30"}, "start", "date_bad"),
        ({"start": "1900-01-01"}, "start", "date_bad"),
        ({"start": "9999-01-01"}, "start", "date_bad"),
        ({"sms_consent": ""}, "sms_consent", "consent_missing"),
        ({"email_consent": " "}, "email_consent", "consent_missing"),
        ({"sms_consent": "No"}, "sms_consent", "consent_missing"),
        ({"email_consent": "declined"}, "email_consent", "consent_missing"),
        ({"sms_consent": "<b>"}, "sms_consent", "consent_missing"),
        ({"phone": ""}, "sms_consent", "consent_without_address"),
        ({"email": ""}, "email_consent", "consent_without_address"),
        ({"wording": ""}, "wording", "wording_missing"),
        ({"wording": "x" * 65}, "wording", "wording_missing"),
    ],
)
def test_a_bad_field_is_told(changes: dict[str, str], field: str, code: str) -> None:
    form = replace(GOOD, **changes)
    with pytest.raises(InvalidInput) as refusal:
        checked(form)
    assert refusal.value.field == field
    assert refusal.value.code.startswith(code)
    told = str(refusal.value)
    assert told
    assert "\n" not in told


def test_everything_that_is_wrong_with_a_form_is_told_at_once() -> None:
    form = replace(GOOD, given_name="", phone="555", timezone="Mars", start="soon", wording="")
    judged = judge(form, CLINICS, CATALOG)
    assert not isinstance(judged, ValidForm)
    fields = [fault.field for fault in judged]
    assert fields == ["given_name", "phone", "timezone", "start", "wording"]
    with pytest.raises(InvalidInput) as refused:
        checked(form)
    assert [fault.field for fault in refused.value.every] == fields


def test_what_follows_from_another_fault_is_not_told_as_well() -> None:
    judged = judge(replace(GOOD, phone="", email=""), CLINICS, CATALOG)
    assert not isinstance(judged, ValidForm)
    assert [fault.code for fault in judged] == ["address_missing"]


def test_one_address_is_enough() -> None:
    by_text = checked(replace(GOOD, email="", email_consent=""))
    assert (by_text.email, by_text.consents) == (None, {"sms": "verbal"})
    by_mail = checked(replace(GOOD, phone="", sms_consent=""))
    assert (by_mail.phone, by_mail.consents) == (None, {"email": "written"})


def test_what_is_left_out_is_filled_in() -> None:
    valid = checked(replace(GOOD, clinic="", bedtime="", start="", state="", language="EN"))
    assert valid.clinic is SAMPLE_CLINIC, "the only one there is"
    assert (valid.bedtime, valid.start, valid.state) == (time(22, 30), None, None)


def test_with_several_clinics_one_has_to_be_named() -> None:
    hillside = SAMPLE_CLINIC.model_copy(update={"id": "hillside"})
    with pytest.raises(InvalidInput, match="Known: hillside, riverside"):
        checked(replace(GOOD, clinic=""), CLINICS | {"hillside": hillside})


@pytest.mark.parametrize("name", ["Ana", "\u00c1ngela", "O'Brien", "\u674e", "Jean-Luc", "a  b"])
def test_names_of_people_are_taken(name: str) -> None:
    assert checked(replace(GOOD, given_name=name)).given_name == " ".join(name.split())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            field: st.text(max_size=40)
            for field in (
                "clinic",
                "given_name",
                "series",
                "timezone",
                "phone",
                "email",
                "language",
                "state",
                "bedtime",
                "start",
                "sms_consent",
                "email_consent",
                "wording",
            )
        },
    )
)
def test_whatever_is_typed_is_taken_or_refused_in_a_sentence(changes: dict[str, str]) -> None:
    refusal, valid = None, None
    try:
        valid = checked(replace(GOOD, **changes))
    except InvalidInput as error:
        refusal = error
    if refusal is not None:
        assert str(refusal)
        assert refusal.field in EnrolmentForm.__dataclass_fields__
    if valid is not None:
        assert set(valid.consents) == {
            channel for channel, given in (("sms", valid.phone), ("email", valid.email)) if given
        }
