"""Whose request it is, and what a receipt says."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from service.carriers.base import AddressEffect, Found, ReceiptStatus, Result
from service.carriers.twilio_webhooks import (
    TwilioSignatures,
    UnreadableReceipt,
    failure_of,
    receipt_of,
)

TOKEN = "12345"
PUBLIC = "https://drip.clinic.example/base"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
checks = TwilioSignatures(TOKEN, PUBLIC + "/")
words = st.text(st.characters(codec="utf-8"), max_size=20)
forms = st.lists(st.tuples(words, words), max_size=8)


def body_of(fields: list[tuple[str, str]]) -> bytes:
    return urlencode(fields).encode()


@given(forms)
def test_a_form_that_twilio_signed_is_taken_whatever_it_holds(
    fields: list[tuple[str, str]],
) -> None:
    signature = checks.sign(f"{PUBLIC}/webhooks/status?a=1", fields)
    assert checks.valid("/webhooks/status?a=1", body_of(fields), FORM, signature)


@given(forms, words, words)
def test_a_field_more_is_noticed(fields: list[tuple[str, str]], name: str, value: str) -> None:
    signature = checks.sign(f"{PUBLIC}/in", fields)
    more = [*fields, (name, value)]
    taken = checks.valid("/in", body_of(more), FORM, signature)
    # An empty name and value add nothing to what is signed, and a repeated pair counts once.
    assert taken == ((name, value) in fields or not (name or value) or _glued(more, fields))


def _glued(more: list[tuple[str, str]], fields: list[tuple[str, str]]) -> bool:
    """Twilio's way of signing runs names and values together, so that some forms look alike."""

    def together(pairs: list[tuple[str, str]]) -> str:
        names = sorted({name for name, _ in pairs})
        return "".join(
            name + value for name in names for value in sorted({v for n, v in pairs if n == name})
        )

    return together(more) == together(fields)


def test_twilios_own_example_is_taken() -> None:
    # https://www.twilio.com/docs/usage/security#validating-requests, and the SDK's own tests
    fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    example = TwilioSignatures("12345", "https://mycompany.com")
    body = body_of(fields)
    target = "/myapp.php?foo=1&bar=2"
    assert example.valid(target, body, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not example.valid(target, body, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B9=")


def test_every_value_of_a_repeated_field_is_signed() -> None:
    fields = [("MediaUrl", "b"), ("MediaUrl", "a"), ("Body", "x")]
    signature = checks.sign(f"{PUBLIC}/in", fields)
    assert checks.valid("/in", body_of(fields), FORM, signature)
    assert checks.valid("/in", body_of(fields[::-1]), FORM, signature)
    assert not checks.valid("/in", body_of(fields[1:]), FORM, signature)


@pytest.mark.parametrize(
    ("target", "body", "token"),
    [
        ("/other", b"Body=x", TOKEN),
        ("/in?a=1", b"Body=x", TOKEN),
        ("/in", b"Body=y", TOKEN),
        ("/in", b"", TOKEN),
        ("/in", b"Body=x", "another token"),
    ],
)
def test_another_address_body_or_token_is_refused(target: str, body: bytes, token: str) -> None:
    signature = TwilioSignatures(token, PUBLIC).sign(f"{PUBLIC}/in", [("Body", "x")])
    assert not checks.valid(target, body, FORM, signature)


@pytest.mark.parametrize("signature", [None, "", "x", "ü", "=" * 28])
def test_no_signature_or_nonsense_is_refused(signature: str | None) -> None:
    assert not checks.valid("/in", b"Body=x", FORM, signature)


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%FF", b"&".join([b"a=1"] * 2000)])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    assert not checks.valid("/in", body, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://clinic.example", "https://clinic.example:443/in"),
        ("https://clinic.example:8443", "https://clinic.example/in"),
        ("https://clinic.example:8443", "https://clinic.example:8443/in"),
        ("http://clinic.example", "http://clinic.example:80/in"),
    ],
)
def test_the_port_may_or_may_not_be_in_what_twilio_signed(configured: str, signed: str) -> None:
    signature = RequestValidator(TOKEN).compute_signature(signed, {"Body": "x"})
    assert TwilioSignatures(TOKEN, configured).valid("/in", b"Body=x", FORM, signature)


def test_the_fragment_of_a_callback_url_is_never_signed() -> None:
    fields = [("MessageSid", "SM1")]
    signature = checks.sign(f"{PUBLIC}/status?a=1#rc=3&rp=all", fields)
    assert signature == checks.sign(f"{PUBLIC}/status?a=1", fields)
    assert checks.valid("/status?a=1", body_of(fields), FORM, signature)


def test_a_json_body_is_covered_by_its_digest_in_the_query() -> None:
    body = json.dumps({"a": 1}).encode()
    target = f"/events?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = checks.sign(PUBLIC + target, [])
    assert checks.valid(target, body, "application/json", signature)
    assert not checks.valid(target, body + b" ", "application/json", signature)


def test_a_body_that_nothing_covers_is_refused() -> None:
    signature = checks.sign(f"{PUBLIC}/events", [])
    assert checks.valid("/events", b"", "", signature)
    assert not checks.valid("/events", b"{}", "application/json", signature)


def test_the_other_algorithm_is_taken_where_the_header_names_it() -> None:
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    shared = TwilioSignatures(TOKEN, PUBLIC, {"webhooks_sharedkey_1": "shared secret"})
    theirs = TwilioSignatures("shared secret", PUBLIC)
    signature = theirs.sign(f"{PUBLIC}/in", [("Body", "x")], algorithm="HMAC_SHA256")
    assert shared.valid("/in", b"Body=x", FORM, signature, settings)
    assert not shared.valid("/in", b"Body=x", FORM, signature)
    assert not checks.valid("/in", b"Body=x", FORM, signature, settings)
    assert not shared.valid("/in", b"Body=x", FORM, signature, "algorithm=HMAC_MD5")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", ReceiptStatus.QUEUED),
        ("accepted", ReceiptStatus.QUEUED),
        ("sending", ReceiptStatus.QUEUED),
        ("sent", ReceiptStatus.SENT),
        ("delivered", ReceiptStatus.DELIVERED),
        ("read", ReceiptStatus.DELIVERED),
    ],
)
def test_each_status_of_twilios_has_its_place(word: str, status: ReceiptStatus) -> None:
    receipt = receipt_of({"MessageSid": "SM1", "MessageStatus": word}, "a1")
    assert (receipt.attempt, receipt.provider_id, receipt.status) == ("a1", "SM1", status)
    assert receipt.outcome is None
    assert receipt.code is None


@pytest.mark.parametrize(
    ("word", "code", "result", "effect"),
    [
        ("undelivered", "30003", Result.TRANSIENT, None),
        ("undelivered", "30008", Result.UNKNOWN, None),
        ("failed", "21610", Result.PERMANENT, AddressEffect.OPTED_OUT),
        ("undelivered", "30005", Result.PERMANENT, AddressEffect.INVALID),
        ("undelivered", "30034", Result.STOPPED, None),
        ("failed", None, Result.TRANSIENT, None),
        ("canceled", None, Result.PERMANENT, None),
    ],
)
def test_a_failure_means_what_its_code_means(
    word: str, code: str | None, result: Result, effect: AddressEffect | None
) -> None:
    form = {"SmsSid": "SM1", "SmsStatus": word} | ({"ErrorCode": code} if code else {})
    receipt = receipt_of(form)
    assert receipt.status is ReceiptStatus.FAILED
    assert receipt.outcome is not None
    assert (receipt.outcome.result, receipt.outcome.effect) == (result, effect)
    assert (receipt.outcome.provider_id, receipt.code) == ("SM1", code)


def test_a_message_found_in_the_list_is_read_the_same_way() -> None:
    found = Found("SM1", "Hi", 0, "undelivered", "30003")
    outcome = failure_of(found.status, found.code, found.provider_id)
    assert outcome is not None
    assert outcome.later_attempts == 1
    assert failure_of("delivered", None, "SM1") is None


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"MessageSid": "SM1"},
        {"MessageStatus": "sent"},
        {"MessageSid": "SM1", "MessageStatus": "received"},
        {"MessageSid": "SM1", "MessageStatus": "levitating"},
    ],
)
def test_what_is_no_receipt_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(UnreadableReceipt):
        receipt_of(form)
