from contextlib import suppress

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from messages.addresses import AddressError, parse_email, parse_phone


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("(503) 555-0142", "US", "+15035550142"),
        ("503.555.0142", "us", "+15035550142"),
        ("1-503-555-0142", "US", "+15035550142"),
        ("+1 503 555 0142", "GB", "+15035550142"),
        ("  +15035550142\n", "US", "+15035550142"),
        ("\u202a+1\u00a0503\u00a0555\u00a00142\u202c", "US", "+15035550142"),
        ("15035550142.0", "US", "+15035550142"),
        ("\uff15\uff10\uff13 555 0142", "US", "+15035550142"),
        ("07400 123456", "GB", "+447400123456"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("+52 55 1234 5678", "US", "+525512345678"),
    ],
)
def test_a_number_however_typed_becomes_e164(text: str, region: str, expected: str) -> None:
    assert parse_phone(text, region) == expected


def test_a_north_american_area_code_newer_than_the_tables_is_accepted() -> None:
    assert parse_phone("555 555 0100", "US") == "+15555550100"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "phone_missing"),
        ("   ", "phone_missing"),
        ("none", "phone_not_a_number"),
        ("n/a", "phone_not_a_number"),
        ("-", "phone_not_a_number"),
        ("ana@example.org", "phone_not_a_number"),
        ("1.50356E+10", "phone_rounded"),
        ("1,50356e10", "phone_rounded"),
        ("+999 12345678", "phone_country"),
        ("911", "phone_too_short"),
        ("555-0142", "phone_too_short"),
        ("503-555-0142 / 503-555-0143", "phone_too_long"),
        ("5035550142503555", "phone_too_long"),
        ("503-555-0142 x12", "phone_extension"),
        ("123-456-7890", "phone_invalid"),
        ("503-155-0142", "phone_invalid"),
        ("+44 1", "phone_too_short"),
        ("800-555-0100", "phone_not_mobile"),
        ("900-555-0123", "phone_not_mobile"),
        ("+44 20 7946 0958", "phone_not_mobile"),
        ("9" * 1000, "phone_too_long"),
    ],
)
def test_what_cannot_get_a_text_is_refused_with_a_code_and_advice(text: str, code: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_phone(text, "US")
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert not text.strip() or text.strip() not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = parse_phone(text, "US")
    except AddressError as error:
        assert error.code.startswith("phone_")  # noqa: PT017 - either outcome is right
    else:
        assert parse_phone(number, "GB") == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("  ana@example.org \n", "ana@example.org"),
        ("ana+legs@example.org", "ana+legs@example.org"),
        ("o'neill@example.org", "o'neill@example.org"),
        ("ana@exämple.org", "ana@xn--exmple-cua.org"),
        ("ana@clinic.test", "ana@clinic.test"),
    ],
)
def test_an_email_address_has_one_normal_form(text: str, expected: str) -> None:
    assert parse_email(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "email_missing"),
        (" ", "email_missing"),
        ("ana", "email_at_sign"),
        ("ana@@example.org", "email_at_sign"),
        ("ana@example.org, bo@example.org", "email_at_sign"),
        ("ana@example", "email_domain"),
        ("ana@", "email_domain"),
        ("Ana <ana@example.org>", "email_invalid"),
        ("a na@example.org", "email_invalid"),
        ("ana.@example.org", "email_invalid"),
        ("añ@example.org", "email_invalid"),
        ("ana@example.org\nBcc: x", "email_invalid"),
        ("ana@example..org", "email_invalid"),
        ("a" * 400 + "@example.org", "email_too_long"),
    ],
)
def test_what_mail_cannot_reach_is_refused_with_a_code_and_advice(text: str, code: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_email(text)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert "ana@" not in str(caught.value)


@given(st.one_of(st.text(max_size=40), st.emails()))
def test_any_text_is_an_email_address_or_refused(text: str) -> None:
    try:
        address = parse_email(text)
    except AddressError as error:
        assert error.code.startswith("email_")  # noqa: PT017
    else:
        assert parse_email(address) == address
        assert parse_email(text.upper()) == address
        assert address.isascii()


@given(
    st.builds(
        "{}{}{}{}{}{}".format,
        st.sampled_from(["", "1", "+1", "+1 ", "1-", "0", "+44"]),
        st.sampled_from(["503", "(212) ", "(800)", "876", "119", "555"]),
        st.sampled_from(["", "-", " ", ".", "  ", "/"]),
        st.integers(0, 999).map("{:03}".format),
        st.sampled_from(["", "-", " ", "."]),
        st.integers(0, 9999).map("{:04}".format),
    ),
    st.sampled_from(["US", "CA", "JM", "GB"]),
)
def test_a_number_is_read_as_the_library_reads_it(text: str, region: str) -> None:
    number = None
    with suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(text, region)
    try:
        read = parse_phone(text, region)
    except AddressError as error:
        refused = number is None or not phonenumbers.is_valid_number(number)
        assert refused or error.code == "phone_not_mobile"  # noqa: PT017 - either outcome is right
    else:
        assert number is not None
        assert read == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(
    st.text("ab.+_-'A ", min_size=1, max_size=6),
    st.sampled_from(["example.org", "EXAMPLE.org", "-a.org", "localhost", "x.invalid", "b..c"]),
)
def test_an_email_address_is_judged_as_the_library_judges_it(local: str, domain: str) -> None:
    text = f"{local}@{domain}".strip()
    try:
        checked = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
        expected = checked.normalized.lower()
    except EmailNotValidError:
        expected = None
    try:
        assert parse_email(text) == expected
    except AddressError:
        assert expected is None


def test_an_address_error_is_a_value_error() -> None:
    assert issubclass(AddressError, ValueError)
