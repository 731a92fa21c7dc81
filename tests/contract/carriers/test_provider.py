"""The fake provider does what tests order: receipts in any order, lists that lag, inbound texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import uvloop

from service.carriers.base import OutgoingText, Receipt, ReceiptStatus
from service.carriers.http import TwilioHttp
from service.carriers.twilio_sms import TwilioSms
from service.carriers.twilio_webhooks import SIGNATURE_HEADER, TwilioSignatures, receipt_of
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN, running_provider
from tests.fakes.webhook import Webhook, running_webhook
from tests.support.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.provider import RunningProvider


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as running:
        yield running


def send(provider: RunningProvider, phone: str, webhook: Webhook) -> str:
    async def run() -> str:
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(provider.url))
        url = f"{webhook.url}/status?a=attempt"
        outcome = await carrier.send(
            OutgoingText("attempt", phone, "Hi", SENDER, 600, url, time.monotonic())
        )
        await carrier.aclose()
        assert outcome.provider_id is not None
        return outcome.provider_id

    return uvloop.run(run())


def receipts(webhook: Webhook) -> list[Receipt]:
    return [receipt_of(post.form) for post in webhook.posts]


def test_receipts_come_when_and_as_the_test_says(
    provider: RunningProvider, phone: str, webhook: Webhook
) -> None:
    sid = send(provider, phone, webhook)
    assert webhook.posts == []
    assert provider.receipt(sid, "undelivered", 30003) == 204
    assert provider.receipt(sid, "sent") == 204
    first, second = receipts(webhook)
    assert (first.provider_id, first.status, first.code) == (sid, ReceiptStatus.FAILED, "30003")
    assert second.status is ReceiptStatus.SENT
    checks = TwilioSignatures(TOKEN, webhook.url)
    for post in webhook.posts:
        assert checks.valid(
            post.target, post.body, post.headers["Content-Type"], post.headers[SIGNATURE_HEADER]
        )


def test_a_receipt_can_come_before_the_answer(
    provider: RunningProvider, phone: str, webhook: Webhook
) -> None:
    provider.script({"fault": "receipt_first", "to": phone})
    sid = send(provider, phone, webhook)
    assert [(receipt.provider_id, receipt.word) for receipt in receipts(webhook)] == [(sid, "sent")]


def test_receipts_come_by_themselves_where_asked(
    tmp_path: Path, phone: str, webhook: Webhook
) -> None:
    with running_provider(tmp_path, receipts=True) as provider:
        send(provider, phone, webhook)
        until(lambda: len(webhook.posts) == 2, "two receipts")
    assert [receipt.word for receipt in receipts(webhook)] == ["sent", "delivered"]


def test_a_list_may_lag_behind(provider: RunningProvider, phone: str, webhook: Webhook) -> None:
    async def found() -> int:
        carrier = TwilioSms(ACCOUNT, TOKEN, TwilioHttp(provider.url))
        count = len(await carrier.find(phone, 0))
        await carrier.aclose()
        return count

    send(provider, phone, webhook)
    provider.settings(hidden=1)
    assert uvloop.run(found()) == 0
    provider.settings(hidden=0)
    assert uvloop.run(found()) == 1


def test_a_patients_text_is_posted_before_the_order_returns(
    provider: RunningProvider, phone: str, webhook: Webhook
) -> None:
    provider.settings(inbound_url=f"{webhook.url}/inbound")
    sid = provider.text(phone, "STOP")
    (post,) = webhook.posts
    assert (post.form["MessageSid"], post.form["From"], post.form["Body"]) == (sid, phone, "STOP")
    provider.settings(inbound_url=None)
