"""Addresses by which mail comes back: whoever did not make them cannot use them."""

from __future__ import annotations

import os
import re
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dispatch.return_paths import Purpose, ReturnPath, ReturnPaths
from service.mail.addresses import (
    ListenAt,
    ReturnAddress,
    parse_listen,
    parse_return_address,
)
from service.store.keyring import Index
from service.store.keys import new_attempt_id, new_patient_id

ADDRESS = ReturnAddress("bounces", "mail.clinic.example")
INDEX = Index(bytes(range(32)))
"""Always the same, as are the ids: the tests are named by the addresses."""
PATHS = ReturnPaths(ADDRESS, INDEX)
ATTEMPT = new_attempt_id(17, lambda count: bytes(range(count)))
PATIENT = new_patient_id(17, lambda count: bytes(range(7, 7 + count)))
MAILBOX = INDEX.digest("email", "ana@example.org")
MADE = {
    PATHS.bounce(ATTEMPT): ReturnPath(Purpose.BOUNCE, attempt=ATTEMPT),
    PATHS.reply(ATTEMPT, PATIENT): ReturnPath(Purpose.REPLY, attempt=ATTEMPT, patient=PATIENT),
    PATHS.bounce_of(MAILBOX): ReturnPath(Purpose.BOUNCE, mailbox=MAILBOX),
    PATHS.reply_of(MAILBOX): ReturnPath(Purpose.REPLY, mailbox=MAILBOX),
    PATHS.leave(MAILBOX): ReturnPath(Purpose.LEAVE, mailbox=MAILBOX),
}


@pytest.mark.parametrize("address", MADE)
def test_an_address_of_ours_is_opened_in_whatever_case_it_comes_back(address: str) -> None:
    assert PATHS.open(address) == PATHS.open(address.upper()) == MADE[address]


@pytest.mark.parametrize("address", MADE)
def test_an_address_of_ours_is_one_that_every_mail_server_takes(address: str) -> None:
    local, _, domain = address.partition("@")
    assert re.fullmatch(r"[a-z]+\+[0-9a-z]+", local)
    assert len(local) <= 64
    assert domain == ADDRESS.domain
    assert parseaddr(address) == ("", address)


@pytest.mark.parametrize("address", MADE)
def test_no_letter_of_an_address_can_be_changed(address: str) -> None:
    for position, letter in enumerate(address):
        for other in {"0", "k", "+", "@", "\N{KELVIN SIGN}"} - {letter}:
            forged = address[:position] + other + address[position + 1 :]
            assert PATHS.open(forged) is None


@pytest.mark.parametrize("address", MADE)
def test_an_address_for_one_purpose_is_none_for_another(address: str) -> None:
    local = address.partition("+")[2]
    for head in ("bounces+", "reply+", "leave+"):
        assert (PATHS.open(head + local) is None) != address.startswith(head)


@pytest.mark.parametrize("address", MADE)
def test_another_installation_takes_none_of_our_addresses(address: str) -> None:
    assert ReturnPaths(ADDRESS, Index(os.urandom(32))).open(address) is None
    elsewhere = ReturnPaths(ReturnAddress("bounces", "other.example"), INDEX)
    assert elsewhere.open(address) is None


@given(st.text(max_size=120) | st.emails())
def test_no_address_that_somebody_makes_up_is_ours(text: str) -> None:
    assert PATHS.open(text) is None
    assert PATHS.open(f"bounces+{text}@{ADDRESS.domain}") is None
    assert PATHS.found_in(text) is None


@pytest.mark.parametrize("address", MADE)
@pytest.mark.parametrize("around", ["<{}>", "Return-Path: <{}>\r\n", "x {}, y", "mailto:{}?s=1"])
def test_a_reported_mail_is_known_by_any_address_of_ours_in_it(address: str, around: str) -> None:
    decoy = f"bounces+{'0' * 38}@{ADDRESS.domain} "
    assert PATHS.found_in(decoy + around.format(address)) == MADE[address]
    assert PATHS.found_in(around.format(address + ".evil.example")) is None


def test_reports_of_providers_have_an_address_without_a_token() -> None:
    path = PATHS.open("Complaints@mail.clinic.example")
    assert path == ReturnPath(Purpose.COMPLAINT)


@pytest.mark.parametrize(
    "text",
    [
        *("", "bounces", "@x.example", "a b@x.example", "bounces@", "reply@x.example"),
        *("bounces+x@x.example", "bounces@localhost", "b" * 25 + "@x.example", ".b@x.example"),
        *("b..c@x.example", "b@-x.example", "B <b@x.example>", "b@x_y.example"),
    ],
)
def test_what_tokens_cannot_be_added_to_is_no_return_address(text: str) -> None:
    with pytest.raises(ValueError, match="bounces@mail"):
        parse_return_address(text)


def test_a_return_address_is_read_in_lower_case() -> None:
    assert parse_return_address(" Bounces@Mail.Clinic.Example ") == ADDRESS


def test_where_mail_is_taken_is_a_protocol_an_address_and_a_port() -> None:
    assert parse_listen("lmtp://127.0.0.1:8025") == ListenAt("lmtp", "127.0.0.1", 8025)
    assert parse_listen("smtp://[::1]:0") == ListenAt("smtp", "::1", 0)


@pytest.mark.parametrize(
    "text",
    [
        *("", "lmtp", "lmtp://", "lmtp://x", "http://x:1", "smtp://x:70000", "smtp://x:1/y"),
        *("smtp://u:p@x:1", "smtp://x:1?tls=1"),
    ],
)
def test_what_is_no_place_to_listen_at_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lmtp://127"):
        parse_listen(text)
