"""Composed mail, read back by the standard library's parser."""

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messages.addresses import AddressError, parse_email
from messages.catalog import Catalog, Message
from messages.email import BOUNDARY, Envelope, compose
from messages.errors import ContentError, EnvelopeError
from messages.render import EmailContent, Letter, Renderer, one_line
from messages.sample import sample_context
from tests.unit.messages.conftest import EN, blocks

CONTENT = EmailContent("A short walk", "Hello Ana,\n\nWalk.\n", "<p>Walk.</p>\n", "en")
ENVELOPE = Envelope(
    sender="tips@clinic.example",
    sender_name="Riverside Clinic",
    recipient="ana@example.org",
    message_id="d41d8cd9@aftervisit.example",
    date=datetime(2026, 11, 21, 18, 30, tzinfo=UTC),
    list_id="tips.clinic.example",
    unsubscribe_url="https://aftervisit.example/u/abc",
    unsubscribe_mailto="leave@clinic.example",
)
LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
LONG = "word " * 500 + "\n" + "x" * 3000 + "\n.\n..\nFrom here \t \n= =3D\n--" + BOUNDARY + "--"


def parsed(content: EmailContent | Letter = CONTENT, **changes: Any) -> EmailMessage:  # noqa: ANN401
    message = message_from_bytes(compose(content, replace(ENVELOPE, **changes)), policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    assert not part.defects
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    content = part.get_content()
    assert isinstance(content, str)
    return content


def lines_of(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_every_header_the_rules_ask_for_is_there() -> None:
    message = parsed()
    assert {name: str(value) for name, value in message.items()} == {
        "From": "Riverside Clinic <tips@clinic.example>",
        "To": "ana@example.org",
        "Subject": "A short walk",
        "Date": "Sat, 21 Nov 2026 18:30:00 +0000",
        "Message-ID": "<d41d8cd9@aftervisit.example>",
        "List-Id": "<tips.clinic.example>",
        "List-Unsubscribe": "<https://aftervisit.example/u/abc>, <mailto:leave@clinic.example>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{BOUNDARY}"',
    }


def test_the_plain_text_comes_first_and_the_page_last() -> None:
    kinds = [part.get_content_type() for part in parsed().iter_parts()]
    assert kinds == ["text/plain", "text/html"]


def test_without_a_mailto_there_is_the_web_address_alone() -> None:
    message = parsed(unsubscribe_mailto=None)
    assert message["List-Unsubscribe"] == "<https://aftervisit.example/u/abc>"


def test_brackets_around_a_message_id_are_no_matter() -> None:
    bare = compose(CONTENT, ENVELOPE)
    assert compose(CONTENT, replace(ENVELOPE, message_id=f"<{ENVELOPE.message_id}>")) == bare


def test_the_date_keeps_its_zone() -> None:
    there = datetime(2026, 7, 1, 20, 0, tzinfo=timezone(-timedelta(hours=7)))
    assert parsed(date=there)["Date"].datetime == there


@given(LINES, LINES)
@example(LONG, LONG)
def test_bodies_arrive_as_they_were(text: str, html: str) -> None:
    message = parsed(EmailContent("s", text, html))
    assert lines_of(body(message, "plain")) == lines_of(text)
    assert lines_of(body(message, "html")) == lines_of(html)


@given(LINES, LINES, LINES)
@example(LONG, LONG, LONG)
def test_no_line_is_too_long_for_any_server(subject: str, text: str, name: str) -> None:
    raw = compose(EmailContent(subject, text, text), replace(ENVELOPE, sender_name=name[:60]))
    assert raw.isascii()
    assert b"\x00" not in raw
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)


@given(LINES)
@example("a" * 500)
@example("=?utf-8?q?x?=")
@example("Subject\r\nBcc: all@example.org")
@example("naïve " * 40)
def test_any_subject_arrives_as_one_line(subject: str) -> None:
    message = parsed(replace(CONTENT, subject=subject))
    assert message["Subject"] == one_line(subject)
    assert "Bcc" not in message


@given(st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=120))
@example('Dr. "Leg", Clinic; <x@y> \\ (a)')
@example("=?utf-8?q?x?=")
@example("Clínica Ñandú, \N{LEG}")
@example("x\r\nBcc: all@example.org")
def test_any_sender_name_stands_beside_the_address(name: str) -> None:
    # Read with the older policy: the newer one puts a space where a long name was folded.
    message = message_from_bytes(compose(CONTENT, replace(ENVELOPE, sender_name=name)))
    shown, address = parseaddr(message["From"])
    assert address == ENVELOPE.sender
    assert str(make_header(decode_header(shown))) == one_line(name)
    assert "Bcc" not in message


@given(st.emails())
def test_any_address_that_can_be_enrolled_can_be_written_to(text: str) -> None:
    try:
        address = parse_email(text)
    except AddressError:
        return
    [mailbox] = parsed(recipient=address)["To"].addresses
    assert mailbox.addr_spec == address


ADDRESSES = ("sender", "recipient", "message_id", "list_id", "unsubscribe_url")


@pytest.mark.parametrize("field", [*ADDRESSES, "unsubscribe_mailto"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "a b",
        "a@b\r\nBcc: c@d",
        "a@b\nBcc: c@d",
        "a@b, c@d",
        "<a@b>\r\n",
        "a@b\x00",
        "ä@b",
        "a>",
    ],
)
def test_no_address_can_smuggle_in_a_header(field: str, value: str) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(EnvelopeError, match=field) as caught:
        compose(CONTENT, replace(ENVELOPE, **changes))
    assert isinstance(caught.value, ContentError)
    assert not value or value not in str(caught.value)


@given(
    st.sampled_from(ADDRESSES),
    st.text(st.sampled_from(string.printable + "äж\x00\u2028"), max_size=30),
)
def test_whatever_is_put_in_the_headers_stay_the_same_twelve(field: str, value: str) -> None:
    changes: dict[str, Any] = {field: value}
    try:
        raw = compose(CONTENT, replace(ENVELOPE, **changes))
    except EnvelopeError:
        return
    message = message_from_bytes(raw, policy=default)
    assert sorted(message.keys()) == sorted(parsed().keys())
    assert not message.defects


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="date has no zone"):
        parsed(date=datetime(2026, 11, 21, 18, 30))  # noqa: DTZ001


def test_a_language_that_is_none_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="language"):
        parsed(replace(CONTENT, language="en\r\nBcc: x"))


def test_a_header_beyond_the_limit_of_a_line_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="998"):
        parsed(unsubscribe_url="https://a.example/" + "x" * 1000)


def renderer_of(template: str) -> Renderer:
    day = ENVELOPE.date.date()
    message = Message("walking", "lifestyle", "walking", (), day, ("en", "es"))
    templates = {("walking", language): template for language in message.languages}
    return Renderer(Catalog({"walking": message}, templates))


RENDERER = renderer_of(EN)
TRICKY = renderer_of(
    blocks(subject="Señal: {{ clinic_name }}", email="{{ given_name }}\n{{ clinic_name }}=3D é")
)


@given(
    st.sampled_from([RENDERER, TRICKY]),
    st.sampled_from(["en", "es"]),
    st.text(min_size=1, max_size=200),
    st.text(max_size=80),
)
@example(TRICKY, "en", "x" * 200, ".")
@example(TRICKY, "en", "= .\n.", "é" * 80)
def test_a_letter_reads_the_same_as_the_email(
    renderer: Renderer, language: str, clinic: str, given_name: str
) -> None:
    names = {"clinic_name": f"C{clinic}", "given_name": given_name}
    context = {**sample_context(language), **names}
    letter = renderer.skeleton("walking", language, context).letter(context)
    content = renderer.email("walking", language, context)
    fast, slow = parsed(letter), parsed(content)
    assert fast.items() == slow.items()
    for kind in ("plain", "html"):
        assert lines_of(body(fast, kind)) == lines_of(body(slow, kind))
    raw = compose(letter, ENVELOPE)
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
