"""Every far end that speaks Twilio's API is the same to the carrier."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest
import uvloop

from service.carriers.base import AddressEffect, OutgoingText, Result
from service.carriers.http import TwilioHttp
from service.carriers.twilio_sms import TwilioSms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.carriers.base import Outcome
    from tests.contract.carriers.conftest import Account

T = TypeVar("T")
SENDER = "+15005550006"


def with_carrier(account: Account, use: Callable[[TwilioSms], Awaitable[T]]) -> T:
    async def run() -> T:
        carrier = TwilioSms(account.sid, account.token, TwilioHttp(account.url, total_s=10))
        try:
            return await use(carrier)
        finally:
            await carrier.aclose()

    return uvloop.run(run())


def outgoing(to: str, body: str = "Walk a little today.", sender: str = SENDER) -> OutgoingText:
    return OutgoingText("attempt", to, body, sender, 3600, None, time.monotonic())


def test_a_text_is_accepted_with_the_providers_id(account: Account, phone: str) -> None:
    outcome = with_carrier(account, lambda carrier: carrier.send(outgoing(phone)))
    assert outcome.result is Result.ACCEPTED
    assert outcome.provider_id is not None
    assert outcome.provider_id.startswith("SM")


def test_a_sent_text_is_found_with_the_body_as_rendered(account: Account, phone: str) -> None:
    body = "Ana\u2019s \u201cfeet\u201d \u2013 50 € {ok} \N{FOOT}"
    started_ms = time.time_ns() // 1_000_000

    async def use(carrier: TwilioSms) -> tuple[Outcome, list[str]]:
        outcome = await carrier.send(outgoing(phone, body))
        found = await carrier.find(phone, started_ms)
        return outcome, [f"{one.provider_id} {one.body}" for one in found]

    outcome, found = with_carrier(account, use)
    assert found == [f"{outcome.provider_id} {body}"]


def test_a_messaging_service_sends_too(account: Account, phone: str) -> None:
    service = "MG" + "1" * 32
    outcome = with_carrier(account, lambda carrier: carrier.send(outgoing(phone, sender=service)))
    assert outcome.result is Result.ACCEPTED


def test_texts_to_other_numbers_and_older_ones_are_not_found(account: Account, phone: str) -> None:
    async def use(carrier: TwilioSms) -> list[int]:
        await carrier.send(outgoing(phone))
        later_ms = time.time_ns() // 1_000_000 + 5_000
        return [
            len(await carrier.find(phone, later_ms)),
            len(await carrier.find("+15035559999", 0)),
            len(await carrier.find(phone, 0)),
        ]

    assert with_carrier(account, use) == [0, 0, 1]


def test_a_long_list_is_read_page_by_page_newest_first(
    account: Account, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.carriers.twilio_sms.PAGE", 4)

    async def use(carrier: TwilioSms) -> tuple[list[str | None], list[str]]:
        sent = [(await carrier.send(outgoing(phone, f"{n}"))).provider_id for n in range(10)]
        found = await carrier.find(phone, 0)
        assert [one.created_ms for one in found] == sorted(
            (one.created_ms for one in found), reverse=True
        )
        return sent, [one.provider_id for one in found]

    sent, found = with_carrier(account, use)
    assert sorted(found) == sorted(str(sid) for sid in sent)


def test_a_redacted_text_is_found_without_its_body(account: Account, phone: str) -> None:
    async def use(carrier: TwilioSms) -> list[str]:
        outcome = await carrier.send(outgoing(phone))
        await carrier.redact(outcome.provider_id or "")
        await carrier.redact(outcome.provider_id or "")
        return [one.body for one in await carrier.find(phone, 0)]

    assert with_carrier(account, use) == [""]


def test_redacting_what_the_provider_does_not_have_counts_as_done(account: Account) -> None:
    with_carrier(account, lambda carrier: carrier.redact("SM" + "0" * 32))


@pytest.mark.parametrize(
    ("to", "result", "code", "effect"),
    [
        ("+15005550001", Result.PERMANENT, "21211", AddressEffect.INVALID),
        ("+15005550003", Result.PERMANENT, "21408", None),
        ("+15005550009", Result.PERMANENT, "21614", AddressEffect.INVALID),
        ("12", Result.PERMANENT, "21211", AddressEffect.INVALID),
    ],
)
def test_twilios_magic_numbers_are_refused(
    account: Account, to: str, result: Result, code: str, effect: AddressEffect | None
) -> None:
    outcome = with_carrier(account, lambda carrier: carrier.send(outgoing(to)))
    assert (outcome.result, outcome.code, outcome.effect) == (result, code, effect)


def test_a_wrong_token_stops_the_sender(account: Account, phone: str) -> None:
    async def run() -> Outcome:
        carrier = TwilioSms(account.sid, "wrong", TwilioHttp(account.url))
        try:
            return await carrier.send(outgoing(phone))
        finally:
            await carrier.aclose()

    outcome = uvloop.run(run())
    assert (outcome.result, outcome.code, outcome.alert) == (Result.STOPPED, "20003", True)


def _text_as(account: Account, phone: str, body: str) -> None:
    """Text as the patient, at either far end."""
    page = httpx.post(
        f"{account.url}/control/text", json={"phone": phone, "body": body}, trust_env=False
    )
    if page.status_code == 404:
        page = httpx.post(
            f"{account.url}/text", data={"phone": phone, "body": body}, trust_env=False
        )
        assert page.status_code == 303


def test_after_a_stop_the_provider_refuses_until_a_start(account: Account, phone: str) -> None:
    async def use(carrier: TwilioSms) -> list[tuple[Result, AddressEffect | None]]:
        outcomes = []
        for word in ("hello", "Stop", " start "):
            await asyncio.to_thread(_text_as, account, phone, word)
            outcome = await carrier.send(outgoing(phone))
            outcomes.append((outcome.result, outcome.effect))
        return outcomes

    assert with_carrier(account, use) == [
        (Result.ACCEPTED, None),
        (Result.PERMANENT, AddressEffect.OPTED_OUT),
        (Result.ACCEPTED, None),
    ]


def test_when_a_patient_texted_is_told_of_their_texts_alone(account: Account, phone: str) -> None:
    async def use(carrier: TwilioSms) -> None:
        ours = await carrier.send(outgoing(phone))
        await asyncio.to_thread(_text_as, account, phone, "one")
        (text,) = [text for text in await carrier.inbound(0) if text.sender == phone]
        assert await carrier.received_ms(text.provider_id) == text.received_ms
        for other in (ours.provider_id or "", "SM" + "0" * 32):
            assert await carrier.received_ms(other) is None

    with_carrier(account, use)


def test_what_patients_texted_is_listed_oldest_first_and_nothing_else(
    account: Account, phone: str
) -> None:
    async def use(carrier: TwilioSms) -> list[tuple[str, str]]:
        await carrier.send(outgoing(phone))
        for body in ("one", "two"):
            await asyncio.to_thread(_text_as, account, phone, body)
        everything = await carrier.inbound(0)
        ours = await carrier.inbound(0, SENDER)
        assert [text.provider_id for text in ours] == [text.provider_id for text in everything]
        return [(text.body, text.to) for text in everything if text.sender == phone]

    listed = with_carrier(account, use)
    assert sorted(listed) == [("one", SENDER), ("two", SENDER)]
