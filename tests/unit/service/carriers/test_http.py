"""The pieces of the HTTP client that need no network."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.carriers.http import NotSent, TwilioHttp
from service.carriers.http_fields import encoded_form, retry_after

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 30 ", 30.0),
        ("Sat, 21 Nov 2026 12:00:45 GMT", 45.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 12:00:45 -0000", 45.0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 86_400.0),
        ("", None),
        ("1.5", None),
        ("٣", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_us(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize(
    ("base", "uri", "expected"),
    [
        ("https://api.twilio.com", "https://api.twilio.com/a", "https://api.twilio.com/a"),
        (
            "https://api.twilio.com",
            "https://api.dublin.ie1.twilio.com/a?b=1",
            "https://api.dublin.ie1.twilio.com/a?b=1",
        ),
        ("http://127.0.0.1:9", "https://api.twilio.com/a?b=%2B1", "http://127.0.0.1:9/a?b=%2B1"),
        ("http://127.0.0.1:9/x/", "https://api.twilio.com/a", "http://127.0.0.1:9/x/a"),
        ("http://127.0.0.1:9", "https://api.ie1.twilio.com/a", "http://127.0.0.1:9/a"),
    ],
)
def test_the_base_replaces_twilios_host(base: str, uri: str, expected: str) -> None:
    assert TwilioHttp(base)._url(uri, None) == expected


@pytest.mark.parametrize(
    "uri", ["https://evil.example/a", "https://api.twilio.com.evil.example/", "/a", "https:///a"]
)
def test_credentials_go_nowhere_but_to_twilio_or_its_stand_in(uri: str) -> None:
    with pytest.raises(NotSent):
        asyncio.run(TwilioHttp().request("GET", uri, auth=("AC1", "token")))


def test_parameters_are_added_to_the_query_that_is_there() -> None:
    url = TwilioHttp()._url("https://api.twilio.com/a?Page=1", {"To": "+1 5", "DateSent>": "x"})
    assert url == "https://api.twilio.com/a?Page=1&To=%2B1+5&DateSent%3E=x"


words = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.dictionaries(words, st.one_of(words, st.integers(), st.lists(words, max_size=3))))
def test_a_form_is_encoded_as_the_standard_library_does_it(fields: dict[str, object]) -> None:
    assert encoded_form(fields).decode() == urlencode(fields, doseq=True)
