from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from service.web.frontier import BODY_LIMIT
from tests.support.web import PUBLIC_URL, TOKEN, Site, said, site, text_fields

INBOUND = "/webhooks/twilio/inbound"
STATUS = "/webhooks/twilio/status"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def unchanged(web: Site, patient: str) -> bool:
    return not web.silent(patient)


@pytest.mark.parametrize("signature", ["", "x", "ÿ", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_a_forged_text_is_refused_and_changes_nothing(
    web: Site, phone: str, signature: str
) -> None:
    patient = web.enrol(phone=phone)
    answer = web.client.post(
        INBOUND,
        data=text_fields(phone, "STOP"),
        headers={b"X-Twilio-Signature": signature.encode("latin-1")},
    )
    assert answer.status_code == 403
    assert unchanged(web, patient)


def test_a_text_without_a_signature_is_refused(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert web.client.post(INBOUND, data=text_fields(phone, "STOP")).status_code == 403
    assert unchanged(web, patient)


@pytest.mark.parametrize("changed", [{"From": "+15035559999"}, {"Body": "STOPALL"}, {"New": "1"}])
def test_a_text_whose_fields_were_changed_is_refused(
    web: Site, phone: str, changed: dict[str, str]
) -> None:
    patient = web.enrol(phone=phone)
    fields = text_fields(phone, "STOP")
    signature = web.signature(INBOUND, fields)
    assert web.post(INBOUND, {**fields, **changed}, signature=signature).status_code == 403
    assert unchanged(web, patient)


def test_a_signature_for_another_of_our_urls_is_refused(web: Site, phone: str) -> None:
    fields = text_fields(phone, "STOP") | {"MessageStatus": "delivered"}
    signature = web.signature(f"{STATUS}?a=one", fields)
    assert web.post(f"{STATUS}?a=two", fields, signature=signature).status_code == 403
    assert web.post(INBOUND, fields, signature=signature).status_code == 403


def test_a_genuine_text_is_accepted_whatever_a_proxy_made_of_host_and_scheme(
    web: Site, phone: str
) -> None:
    patient = web.enrol(phone=phone)
    fields = text_fields(phone, "Stop please")
    answer = web.client.post(
        INBOUND,
        data=fields,
        headers={
            "X-Twilio-Signature": web.signature(INBOUND, fields),
            "Host": "10.0.0.7:8080",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "http",
        },
    )
    assert said(answer) is not None
    assert web.silent(patient)


def test_a_body_that_is_no_form_is_refused_even_if_it_is_signed(web: Site) -> None:
    body = json.dumps({"From": "+15035550142", "Body": "STOP"})
    path = f"{INBOUND}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + path, {})
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/json"}
    assert web.client.post(path, content=body, headers=headers).status_code == 415


def test_a_signed_form_that_is_no_text_is_refused(web: Site) -> None:
    assert web.post(INBOUND, {"Body": "STOP"}).status_code == 400


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_unread(web: Site, *, declared: bool) -> None:
    big = b"a" * (BODY_LIMIT + 1)
    content = big if declared else iter([big[:1000], big[1000:]])  # chunked: no length is told
    answer = web.client.post(INBOUND, content=content, headers=FORM)
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"%ff=%fe", b"a=1&" * 2000])
def test_a_broken_form_is_refused_and_is_no_fault_of_ours(web: Site, body: bytes) -> None:
    headers = {"X-Twilio-Signature": "x", **FORM}
    assert web.client.post(INBOUND, content=body, headers=headers).status_code == 403


def test_a_webhook_is_taken_by_post_only(web: Site) -> None:
    assert web.client.get(INBOUND).status_code == 405
    assert web.client.get(STATUS).status_code == 405


def test_every_webhook_is_refused_where_no_token_is_set(tmp_path: Path) -> None:
    with site(tmp_path, twilio_account_sid=None, twilio_auth_token=None) as web:
        assert web.text("+15035550142", "STOP").status_code == 403


def test_the_log_of_a_webhook_names_no_number_and_no_word_of_it(web: Site, phone: str) -> None:
    with capture_logs() as lines:
        web.text(phone, "my legs never stop")
        web.post(INBOUND, text_fields(phone, "Stop please"), signature="forged")
    assert {line["event"] for line in lines} >= {"request", "webhook_refused"}
    assert phone not in str(lines)
    assert "legs" not in str(lines)
