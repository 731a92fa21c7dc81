"""What the carrier says when the provider or the network misbehaves (real processes, real SDK)."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from service.carriers.base import (
    AddressEffect,
    Outcome,
    OutgoingText,
    ProviderUnreachable,
    Result,
)
from service.carriers.http import TwilioHttp
from service.carriers.twilio_codes import meanings
from service.carriers.twilio_sms import TwilioSms
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tests.fakes.provider import RunningProvider

TOTAL_S = 1.5
"""For requests that are never answered in full; the others have plenty of time."""


def outgoing(to: str, age_s: float = 0.0) -> OutgoingText:
    begun_at = time.monotonic() - age_s
    return OutgoingText("attempt", to, "Walk a little.", SENDER, 3600, None, begun_at)


def sent(url: str, *texts: OutgoingText, **settings: Any) -> list[Outcome]:  # noqa: ANN401
    async def run() -> list[Outcome]:
        http = TwilioHttp(url, **{"total_s": 30, **settings})
        carrier = TwilioSms(ACCOUNT, TOKEN, http)
        try:
            return [await carrier.send(text) for text in texts]
        finally:
            await carrier.aclose()

    return uvloop.run(run())


def to_phone(provider: RunningProvider, phone: str) -> int:
    return len([text for text in provider.accepted() if text["to"] == phone])


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ({"fault": "error_before"}, 0),
        ({"fault": "error_after"}, 1),
        ({"fault": "error_after", "status": 503}, 1),
        ({"fault": "error_after", "status": 408}, 1),
        ({"fault": "error_after", "status": 302}, 1),
        ({"fault": "hang_before"}, 0),
        ({"fault": "hang_after"}, 1),
        ({"fault": "close_before"}, 0),
        ({"fault": "close_after"}, 1),
        ({"fault": "cut_after"}, 1),
        ({"fault": "drip_after", "seconds": 0.1}, 1),
        ({"fault": "garbage_after"}, 1),
        ({"fault": "garbage_after", "body": "[]"}, 1),
        ({"fault": "garbage_after", "body": "{}"}, 1),
        ({"fault": "garbage_after", "body": '{"sid": "SM1", "status": "levitating"}'}, 1),
        ({"fault": "garbage_after", "body": "null"}, 1),
        ({"fault": "refuse", "code": 20500, "status": 500}, 0),
    ],
    ids=str,
)
def test_an_answer_that_never_came_or_makes_no_sense_leaves_it_unknown(
    provider: RunningProvider, phone: str, fault: dict[str, Any], accepted: int
) -> None:
    provider.script({**fault, "to": phone})
    before = provider.requests()
    silent = fault["fault"].startswith(("hang", "drip"))
    (outcome,) = sent(provider.url, outgoing(phone), total_s=TOTAL_S if silent else 30)
    assert outcome.result is Result.UNKNOWN
    assert to_phone(provider, phone) == accepted
    assert provider.requests() == before + 1  # and never a second try


def test_a_response_that_drips_is_cut_at_the_total_deadline(
    provider: RunningProvider, phone: str
) -> None:
    provider.script({"fault": "drip_after", "seconds": 0.05, "to": phone})
    started = time.monotonic()
    (outcome,) = sent(provider.url, outgoing(phone), total_s=TOTAL_S)
    assert outcome.result is Result.UNKNOWN
    assert TOTAL_S <= time.monotonic() - started < TOTAL_S + 5


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7.0), ("999999999", 86_400.0), ("soon", None), ("-1", None)]
)
def test_429_was_never_processed_and_says_how_long_to_wait(
    provider: RunningProvider, phone: str, header: str, wait_s: float | None
) -> None:
    provider.script({"fault": "busy", "retry_after": header, "to": phone})
    first, second = sent(provider.url, outgoing(phone), outgoing(phone))
    assert (first.result, first.code, first.retry_after_s) == (Result.TRANSIENT, "20429", wait_s)
    assert second.result is Result.ACCEPTED


@pytest.mark.parametrize("code", sorted(set(meanings()) - {"unlisted"}))
def test_each_listed_code_means_what_the_table_says(
    provider: RunningProvider, phone: str, code: str
) -> None:
    provider.script({"fault": "refuse", "code": int(code), "to": phone})
    (outcome,) = sent(provider.url, outgoing(phone))
    row = meanings()[code]
    assert (outcome.result, outcome.effect, outcome.later_attempts, outcome.alert) == (
        row.result,
        row.effect,
        row.later_attempts,
        row.alert,
    )
    assert (outcome.code, outcome.reason) == (code, row.reason)


@pytest.mark.parametrize(
    ("status", "result", "later", "code"),
    [
        (400, Result.TRANSIENT, 1, "400"),
        (403, Result.TRANSIENT, 1, "403"),
        (401, Result.STOPPED, None, "401"),
        (404, Result.STOPPED, None, "404"),
        (301, Result.STOPPED, None, "301"),
        (307, Result.STOPPED, None, "307"),
        (308, Result.STOPPED, None, "308"),
    ],
)
def test_a_refusal_that_is_not_twilios_own_is_told_by_its_status(
    provider: RunningProvider,
    phone: str,
    status: int,
    result: Result,
    later: int | None,
    code: str,
) -> None:
    provider.script({"fault": "error_before", "status": status, "to": phone})
    (outcome,) = sent(provider.url, outgoing(phone))
    assert (outcome.result, outcome.later_attempts, outcome.code) == (result, later, code)
    assert outcome.alert


def test_a_code_nobody_listed_is_shown_and_tried_once_more_at_most(
    provider: RunningProvider, phone: str
) -> None:
    provider.script({"fault": "refuse", "code": 21999, "to": phone})
    (outcome,) = sent(provider.url, outgoing(phone))
    assert (outcome.result, outcome.later_attempts, outcome.alert) == (Result.TRANSIENT, 1, True)
    assert outcome.code == "21999"


def test_a_message_that_failed_at_once_is_not_taken_for_accepted(
    provider: RunningProvider, phone: str
) -> None:
    body = '{"sid": "SM9", "status": "failed", "error_code": 21610}'
    provider.script({"fault": "garbage_after", "body": body, "to": phone})
    (outcome,) = sent(provider.url, outgoing(phone))
    assert (outcome.result, outcome.effect) == (Result.PERMANENT, AddressEffect.OPTED_OUT)
    assert outcome.provider_id == "SM9"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_refused_connection_is_proven_not_sent(phone: str) -> None:
    (outcome,) = sent(f"http://127.0.0.1:{_free_port()}", outgoing(phone))
    assert outcome.result is Result.TRANSIENT


def test_a_name_without_an_address_is_proven_not_sent(phone: str) -> None:
    (outcome,) = sent("http://nowhere.invalid", outgoing(phone), total_s=10)
    assert outcome.result is Result.TRANSIENT


def test_a_server_that_speaks_no_tls_is_proven_not_sent_to(
    provider: RunningProvider, phone: str
) -> None:
    before = provider.requests()
    (outcome,) = sent(provider.url.replace("http:", "https:"), outgoing(phone), total_s=5)
    assert outcome.result is Result.TRANSIENT
    assert provider.requests() == before


def test_a_connection_that_is_never_made_is_proven_not_sent(phone: str) -> None:
    with socket.socket() as full:  # a queue of one, and nobody takes from it
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(address)
        (outcome,) = sent(f"http://127.0.0.1:{address[1]}", outgoing(phone), connect_s=0.3)
        for filler in fillers:
            filler.close()
    assert outcome.result is Result.TRANSIENT


def test_a_certificate_of_nobody_we_trust_is_proven_not_sent_to(
    certificate: Path, trust: ssl.SSLContext, phone: str
) -> None:
    async def run() -> tuple[Outcome, Outcome]:
        import ssl as tls  # noqa: PLC0415

        context = tls.create_default_context(tls.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        strangers = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(url))
        friends = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(url, tls=trust))
        refused = await strangers.send(outgoing(phone))
        assert seen == []
        reached = await friends.send(outgoing(phone))
        await strangers.aclose()
        await friends.aclose()
        server.close()
        return refused, reached

    refused, reached = uvloop.run(run())
    assert refused.result is Result.TRANSIENT
    assert reached.code == "20429"


def test_an_attempt_begun_too_long_ago_is_not_sent(provider: RunningProvider, phone: str) -> None:
    before = provider.requests()
    (outcome,) = sent(provider.url, outgoing(phone, age_s=2.1))
    assert outcome.result is Result.TOO_LATE
    assert provider.requests() == before


def test_waiting_for_a_connection_counts_towards_the_age(
    provider: RunningProvider, phone: str
) -> None:
    async def run() -> list[Outcome]:
        http = TwilioHttp(provider.url, connections=1, total_s=5)
        carrier = TwilioSms(ACCOUNT, TOKEN, http)
        try:
            first = asyncio.create_task(carrier.send(outgoing(phone)))
            await asyncio.sleep(0)
            return list(await asyncio.gather(first, carrier.send(outgoing(phone, age_s=1.8))))
        finally:
            await carrier.aclose()

    provider.script({"fault": "delay", "seconds": 0.4, "to": phone})
    first, second = uvloop.run(run())
    assert (first.result, second.result) == (Result.ACCEPTED, Result.TOO_LATE)
    assert to_phone(provider, phone) == 1


def test_waiting_for_a_connection_past_the_deadline_is_proven_not_sent(
    provider: RunningProvider, phone: str
) -> None:
    async def run() -> tuple[Result, Result]:
        http = TwilioHttp(provider.url, connections=1, total_s=60)
        carrier = TwilioSms(ACCOUNT, TOKEN, http)
        holder = asyncio.create_task(carrier.send(outgoing(phone)))
        try:
            # The only connection is held by a request that the provider has and does not answer.
            async with asyncio.timeout(30):
                while provider.requests() == before:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.01)
            http._total_s = 0.3  # from here on; the holder's time runs already
            waiter = await carrier.send(outgoing(phone))
            assert not holder.done(), "the connection was never free"
        finally:
            await carrier.aclose()
        return waiter.result, (await holder).result

    before = provider.requests()
    provider.script({"fault": "hang_before", "to": phone})
    waiter, held = uvloop.run(run())
    assert (waiter, held) == (Result.TRANSIENT, Result.UNKNOWN)
    assert provider.requests() == before + 1


def test_a_list_that_cannot_be_read_is_not_an_empty_list(
    provider: RunningProvider, phone: str
) -> None:
    async def run() -> None:
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(provider.url, total_s=TOTAL_S))
        faults = ["error_before", "busy", "close_before", "hang_before"]
        for fault in faults:
            provider.script({"fault": fault, "on": "list", "to": phone})
            with pytest.raises(ProviderUnreachable):
                await carrier.find(phone, 0)
        assert await carrier.find(phone, 0) == []
        await carrier.aclose()

    uvloop.run(run())


def test_a_kept_connection_that_the_provider_closed_meanwhile_is_not_used(phone: str) -> None:
    async def run() -> list[Outcome]:
        connections: list[asyncio.StreamWriter] = []
        body = b'{"sid": "SM1", "status": "queued"}'

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            writer.close()  # although keep-alive was promised

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(url))
        outcomes = []
        for _ in range(5):
            outcomes.append(await carrier.send(outgoing(phone)))
            await connections[-1].wait_closed()
        await carrier.aclose()
        server.close()
        assert len(connections) == 5
        return outcomes

    assert {outcome.result for outcome in uvloop.run(run())} == {Result.ACCEPTED}


def test_a_base_url_may_have_a_path(phone: str) -> None:
    async def run() -> bytes:
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readline())
            writer.write(b"HTTP/1.1 429 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/twilio/"
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(url))
        await carrier.send(outgoing(phone))
        await carrier.aclose()
        server.close()
        return seen[0]

    line = uvloop.run(run())
    assert line == f"POST /twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n".encode()


def test_the_request_asks_for_what_settling_needs(provider: RunningProvider, phone: str) -> None:
    text = OutgoingText(
        "a1", phone, "Hi", SENDER, 99_999, "https://clinic.example/s?a=1", time.monotonic()
    )
    sent(provider.url, text)
    (accepted,) = [one for one in provider.accepted() if one["to"] == phone]
    assert accepted["fields"] == {
        "To": phone,
        "From": SENDER,
        "Body": "Hi",
        "ValidityPeriod": "36000",
        "SmartEncoded": "false",
        "ContentRetention": "retain",
        "AddressRetention": "retain",
        "StatusCallback": "https://clinic.example/s?a=1",
    }


def test_many_texts_at_once_share_few_connections(provider: RunningProvider, phone: str) -> None:
    async def run() -> list[Outcome]:
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(provider.url, connections=4, total_s=20))
        try:
            return list(await asyncio.gather(*(carrier.send(outgoing(phone)) for _ in range(100))))
        finally:
            await carrier.aclose()

    outcomes = uvloop.run(run())
    assert {outcome.result for outcome in outcomes} <= {Result.ACCEPTED, Result.TOO_LATE}
    assert to_phone(provider, phone) == sum(o.result is Result.ACCEPTED for o in outcomes)
