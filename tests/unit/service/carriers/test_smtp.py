"""The pieces of the e-mail carrier that need no network."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.carriers.base import AddressEffect, Result
from service.carriers.smtp_email import refused
from service.carriers.smtp_errand import Cut, Errand, Stage
from service.carriers.smtp_url import MailServer, parse_smtp_url
from service.carriers.smtp_wire import stuffed
from service.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("mail.example.org", 25)),
        ("smtp://localhost:1025/", MailServer("localhost", 1025)),
        ("smtps://mail.example.org", MailServer("mail.example.org", 465, "implicit")),
        (
            "smtp://a%40b.org:p%2Fw%3A%C3%A9@mail.example.org:587?starttls=required",
            MailServer("mail.example.org", 587, "required", "a@b.org", "p/w:é"),
        ),
        ("smtp://[::1]:2525?ehlo=c.example", MailServer("::1", 2525, ehlo="c.example")),
        (
            "smtps://u@h.example?verify=no&cafile=/etc/ca.pem",
            MailServer("h.example", 465, "implicit", "u", "", None, False, "/etc/ca.pem"),  # noqa: FBT003
        ),
    ],
)
def test_a_mail_servers_url_says_everything(url: str, server: MailServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://host:0",
        "smtp://host:99999",
        "smtp://host:port",
        "smtp://user:secret@host/path",
        "smtp://user:secret@host?starttls=maybe",
        "smtp://user:secret@host?verify",
        "smtp://user:secret@host?colour=red",
    ],
)
def test_another_url_is_refused_with_what_to_write_and_without_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="AFTERVISIT_SMTP_URL") as caught:
        parse_smtp_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("mail.example.org", False)],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:  # noqa: FBT001
    assert MailServer(host, 25).local is local


lines = st.lists(st.binary(max_size=6).map(lambda b: re.sub(rb"[\r\n]", b".", b)), max_size=6)


@given(lines, st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_what_is_sent_reads_back_as_it_was_and_ends_once(parts: list[bytes], end: bytes) -> None:
    sent = stuffed(end.join(parts))
    assert sent.endswith(b"\r\n.\r\n") or sent == b".\r\n"
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
    body = sent.removesuffix(b".\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + body
    unstuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n")[2:]
    whole = b"\r\n".join(parts)
    assert unstuffed.removesuffix(b"\r\n") == whole.removesuffix(b"\r\n")


@given(
    st.sampled_from(["greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "message"]),
    st.integers(400, 599),
    st.binary(max_size=30),
)
def test_every_refusal_has_a_meaning_and_quotes_only_codes(
    verb: str, code: int, text: bytes
) -> None:
    outcome = refused(verb, code, text)
    assert outcome.result in {Result.TRANSIENT, Result.PERMANENT, Result.STOPPED}
    assert (outcome.result is Result.TRANSIENT) == (code < 500)
    assert re.fullmatch(r"\d{3}( \d\.\d{1,3}\.\d{1,3})?", outcome.code or "")


def test_a_log_in_that_the_server_cannot_check_just_now_is_tried_again() -> None:
    assert refused("AUTH", 454, b"4.7.0 try later").result is Result.TRANSIENT
    assert refused("AUTH", 535, b"5.7.8 wrong").result is Result.STOPPED


@pytest.mark.parametrize("detail", range(11))
def test_each_5_1_x_but_the_senders_own_marks_the_address(detail: int) -> None:
    outcome = refused("RCPT", 550, f"5.1.{detail} no".encode())
    if detail in {7, 8}:
        assert (outcome.result, outcome.effect) == (Result.STOPPED, None)
    else:
        assert (outcome.result, outcome.effect) == (Result.PERMANENT, AddressEffect.INVALID)


def test_nothing_begins_after_the_deadline() -> None:
    errand = Errand(60)
    errand.enter(Stage.CONNECTING)
    shut: list[str] = []
    assert not errand.cut()
    errand.ride(lambda: shut.append("late comer"))
    assert shut == ["late comer"]
    with pytest.raises(Cut):
        errand.enter(Stage.ENVELOPE)
    assert errand.stage is Stage.CONNECTING
    assert errand.cut()


def test_a_process_that_slept_past_its_deadline_begins_nothing() -> None:
    errand = Errand(-1)
    with pytest.raises(Cut):
        errand.enter(Stage.CONNECTING)
