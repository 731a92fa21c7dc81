"""Asking for a link to the page, by somebody of whom nothing is known."""

from __future__ import annotations

from itertools import count

import httpx
import pytest

from service.store.records import Channel
from service.store.responses import Response
from tests.integration.web.test_patient_page import said, send
from tests.support.polling import until
from tests.support.web import PUBLIC_URL, Site

_sources = count(1)


@pytest.fixture
def source() -> dict[str, str]:
    """A source that no other test has, behind a proxy on this machine."""
    return {"X-Forwarded-For": f"203.0.113.{next(_sources)}", "Sec-Fetch-Site": "same-origin"}


def ask(web: Site, address: str, source: dict[str, str]) -> httpx.Response:
    return web.client.post("/p", data={"address": address}, headers=source)


def queued(web: Site, channel: Channel, address: str) -> list[Response]:
    """The links that are on their way to an address."""
    keys = web.core.suppressions.keys(web.core.suppressions.digest(channel, address))
    waiting = [each.response for each in web.core.responses.waiting(keys.partition, 1000)]
    return [each for each in waiting if each.to == address]


def opened(web: Site, response: Response) -> str:
    """What the page behind a link says."""
    return said(web.client.get(response.values["link"].removeprefix(PUBLIC_URL)))


def test_a_link_goes_to_the_phone_that_was_typed_in_and_opens_the_page(
    web: Site, phone: str, source: dict[str, str]
) -> None:
    web.enrol(phone=phone, language="es")
    ask(web, f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}", source)
    (response,) = until(lambda: queued(web, "sms", phone), "the link is queued")
    assert (response.message, response.language, response.answers) == ("page-link", "es", False)
    assert "Para Ana" in opened(web, response)


def test_a_link_goes_to_the_mailbox_whatever_its_capitals(
    web: Site, email: str, source: dict[str, str]
) -> None:
    web.enrol(email=email)
    ask(web, f" {email.upper()} ", source)
    (response,) = until(lambda: queued(web, "email", email), "the link is queued")
    assert "For Ana" in opened(web, response)


def test_one_link_is_for_all_who_share_the_phone(
    web: Site, phone: str, source: dict[str, str]
) -> None:
    web.enrol("Ana", phone=phone)
    web.enrol("Ben", phone=phone)
    ask(web, phone, source)
    (response,) = until(lambda: queued(web, "sms", phone), "the link is queued")
    told = opened(web, response)
    assert "Ana" in told
    assert "Ben" in told


def test_whoever_asks_is_answered_alike_and_nothing_goes_to_strangers(
    web: Site, phone: str, email: str, source: dict[str, str]
) -> None:
    known = web.enrol(phone=phone)
    gone = f"gone.{email}"
    web.core.erasure.erase(web.enrol(email=gone), source="test")
    answers = [ask(web, address, source) for address in (phone, email, gone, "+15035559999")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    until(lambda: queued(web, "sms", phone), "the one that is known is queued")
    for channel, address in (("email", email), ("email", gone), ("sms", "+15035559999")):
        assert queued(web, channel, address) == []  # type: ignore[arg-type]
    assert known not in answers[0].text


def test_an_address_gets_three_an_hour_and_the_answer_stays_the_same(
    web: Site, phone: str, source: dict[str, str]
) -> None:
    web.enrol(phone=phone)
    answers = {ask(web, phone, source).text for _ in range(6)}
    assert len(answers) == 1
    until(lambda: len(queued(web, "sms", phone)) == 3, "three are queued")
    assert not web.core.page_requests.send("sms", phone)


def test_a_source_that_asks_on_and_on_is_told_to_wait_whatever_it_asks_for(
    web: Site, phone: str, source: dict[str, str]
) -> None:
    web.enrol(phone=phone)
    codes = [ask(web, f"nobody{turn}@example.org", source).status_code for turn in range(25)]
    assert (codes.count(200), codes.count(429)) == (20, 5)
    assert ask(web, phone, source).status_code == 429
    assert queued(web, "sms", phone) == []


@pytest.mark.parametrize("address", ["", "ana", "12345", "ana@", "@", "\0", "555-0142; DROP"])
def test_what_is_no_address_is_told_beside_its_field(
    web: Site, source: dict[str, str], address: str
) -> None:
    answer = ask(web, address, source)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'aria-describedby="address-hint address-fault"' in answer.text


def test_a_form_of_another_site_is_refused(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert web.client.post("/p", data={"address": phone}, headers=headers).status_code == 403
    assert send(web, "/p", address=phone).status_code == 200
