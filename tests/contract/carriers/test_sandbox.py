"""The phone and the mailbox of the demo, as processes, seen as a browser sees them."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import uvloop
from twilio.request_validator import SIGNATURE_HEADER

from messages.email import Envelope, compose
from messages.render import EmailContent
from service.carriers.base import OutgoingEmail, OutgoingText, Result
from service.carriers.http import TwilioHttp
from service.carriers.sandbox.phone import ACCOUNT_SID, AUTH_TOKEN
from service.carriers.smtp_email import SmtpEmail
from service.carriers.smtp_url import parse_smtp_url
from service.carriers.twilio_sms import TwilioSms
from service.carriers.twilio_webhooks import TwilioSignatures
from service.clock import from_ms
from tests.fakes.launch import launched
from tests.fakes.webhook import Webhook, running_webhook
from tests.support.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON_UTC_MS = 1_772_539_200_000  # 2026-03-03T12:00Z: four in the morning in Portland
FORM = "application/x-www-form-urlencoded"
ROSTER = [
    {
        "given_name": "Ana",
        "phone": "+15035550110",
        "email": "ana@example.org",
        "place": "Portland, Oregon",
        "timezone": "America/Los_Angeles",
        "note": "left alone",
    },
    {"given_name": "Luis", "phone": "+13055550111", "timezone": "America/New_York"},
]


class Sandbox:
    """Both processes, and a browser that runs no scripts."""

    def __init__(self, phone_port: int, mail_port: int) -> None:
        self.url = f"http://127.0.0.1:{phone_port}"
        self.mail_url = f"smtp://127.0.0.1:{mail_port}?ehlo=clinic.example"
        self.browser = httpx.Client(base_url=self.url, trust_env=False, timeout=20)

    def text(self, to: str, body: str, callback: str | None = None) -> None:
        async def run() -> Result:
            carrier = TwilioSms(ACCOUNT_SID, AUTH_TOKEN, TwilioHttp(self.url))
            text = OutgoingText("a", to, body, "+15005550006", 600, callback, time.monotonic())
            outcome = await carrier.send(text)
            await carrier.aclose()
            return outcome.result

        assert uvloop.run(run()) is Result.ACCEPTED

    def mail(self, to: str, subject: str, html: str, unsubscribe: str) -> None:
        envelope = Envelope(
            sender="care@clinic.example",
            sender_name="Riverside Clinic",
            recipient=to,
            message_id=f"{abs(hash((to, subject)))}@clinic.example",
            date=from_ms(NOON_UTC_MS),
            list_id="tips.clinic.example",
            unsubscribe_url=unsubscribe,
        )
        content = compose(EmailContent(subject, "Plain words", html, "en"), envelope)

        async def run() -> Result:
            carrier = SmtpEmail(parse_smtp_url(self.mail_url))
            outcome = await carrier.send(
                OutgoingEmail("a", to, "care@clinic.example", content, "<x>", time.monotonic())
            )
            await carrier.aclose()
            return outcome.result

        assert uvloop.run(run()) is Result.ACCEPTED

    def page(self, **query: str) -> str:
        return self.browser.get("/", params=query).raise_for_status().text


@contextlib.contextmanager
def running_sandbox(directory: Path, *options: str) -> Iterator[Sandbox]:
    module = "service.carriers.sandbox"
    common = ["--data-dir", str(directory), "--follow-stdin"]
    with (
        launched([sys.executable, "-m", f"{module}.phone", *common, *options]) as (_, phone),
        launched([sys.executable, "-m", f"{module}.mailbox", *common]) as (_, mailbox),
    ):
        sandbox = Sandbox(phone["port"], mailbox["port"])
        yield sandbox
        sandbox.browser.close()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with running_webhook() as running:
        yield running


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sandbox")
    (path / "roster.json").write_text(json.dumps(ROSTER), encoding="utf-8")
    (path / "clock").write_text(str(NOON_UTC_MS), encoding="ascii")
    return path


@pytest.fixture(scope="module")
def sandbox(directory: Path, webhook: Webhook) -> Iterator[Sandbox]:
    options = ["--roster", str(directory / "roster.json")]
    options += ["--clock-file", str(directory / "clock")]
    options += ["--inbound-url", f"{webhook.url}/webhooks/twilio/inbound#rc=3&rp=all"]
    with running_sandbox(directory, *options) as running:
        yield running


def test_a_text_shows_on_its_phone_at_the_patients_own_business_time(sandbox: Sandbox) -> None:
    sandbox.text("+15035550110", "Walk <b>a little</b> & rest")
    page = sandbox.page(patient="p1")
    assert "Walk &lt;b&gt;a little&lt;/b&gt; &amp; rest" in page
    assert "4:00 AM" in page
    assert "Tuesday, March 3" in page
    assert "Walk" not in sandbox.page(patient="p2")


def test_the_receipts_are_signed_and_in_order(sandbox: Sandbox, webhook: Webhook) -> None:
    sandbox.text("+13055550111", "Hello", f"{webhook.url}/status/a1?x=1#rc=3")

    def receipts() -> list[str]:
        return [post.form["MessageStatus"] for post in webhook.posts if "/status/a1" in post.target]

    until(lambda: len(receipts()) == 2, "two receipts")
    assert receipts() == ["sent", "delivered"]
    checks = TwilioSignatures(AUTH_TOKEN, webhook.url)
    for post in [post for post in webhook.posts if "/status/" in post.target]:
        assert "#" not in post.target
        assert checks.valid(post.target, post.body, FORM, post.headers[SIGNATURE_HEADER])


def test_texting_back_works_without_a_script_and_is_tried_again_where_the_url_asks(
    sandbox: Sandbox, webhook: Webhook
) -> None:
    webhook.answers.append(503)
    body = "7 tonight, gracias ñ"
    answer = sandbox.browser.post(
        "/text", data={"phone": "+13055550111", "patient": "p2", "body": body}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?patient=p2")

    def posts() -> list[dict[str, str]]:
        return [post.form for post in webhook.posts if post.form.get("Body") == body]

    until(lambda: len(posts()) == 2, "the text was posted again")
    first, second = posts()
    assert first["MessageSid"] == second["MessageSid"]
    assert (first["From"], first["To"]) == ("+13055550111", "+15005550006")
    assert body in sandbox.page(patient="p2")


def test_stop_is_answered_by_the_carrier_and_shown(sandbox: Sandbox) -> None:
    phone = "+15035550177"
    sandbox.browser.post("/text", data={"phone": phone, "quick": "STOP", "body": ""})
    key = _key(sandbox, phone)
    page = sandbox.page(patient=key)
    assert "successfully been unsubscribed" in page
    assert "Answered by the carrier" in page
    assert "The carrier blocks texts" in page
    sandbox.browser.post("/text", data={"phone": phone, "quick": "START", "body": ""})
    assert "The carrier blocks texts" not in sandbox.page(patient=key)


def _key(sandbox: Sandbox, name: str) -> str:
    found = re.search(
        r'patient=(\w+)"[^>]*>(?:(?!</a>).)*' + re.escape(name), sandbox.page(), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_a_mail_shows_in_its_mailbox_and_can_do_nothing(sandbox: Sandbox) -> None:
    html = "<html><head></head><body><script>alert(1)</script>Hello</body></html>"
    sandbox.mail("ana@example.org", "A <i>walk</i>", html, "http://127.0.0.1:9/u/1")
    page = sandbox.page(patient="p1")
    assert "A &lt;i&gt;walk&lt;/i&gt;" in page
    assert "Tue, Mar 3, 4:00 AM" in page
    frame = re.search(r'<iframe[^>]*src="([^"]+)"[^>]*>', page)
    assert frame is not None
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    mail = sandbox.browser.get(frame[1])
    policy = mail.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert '<head><base target="_blank">' in mail.text
    plain = sandbox.browser.get(frame[1] + "?as=text")
    assert "Plain words" in plain.text
    assert "<script" not in plain.text


def test_leaving_by_one_click_is_a_post_as_mail_programs_do_it(
    sandbox: Sandbox, webhook: Webhook
) -> None:
    sandbox.mail("click@example.org", "Leave me", "<p>Hi</p>", f"{webhook.url}/u/token")
    key = _key(sandbox, "click@example.org")
    found = re.search(r'name="mail" value="([^"]+)"', sandbox.page(patient=key))
    assert found is not None
    answer = sandbox.browser.post("/unsubscribe", data={"mail": found[1], "patient": key})
    assert answer.status_code == 303
    assert "accepted" in sandbox.browser.get(answer.headers["Location"]).text
    (post,) = [post for post in webhook.posts if post.target == "/u/token"]
    assert post.body == b"List-Unsubscribe=One-Click"


def test_the_page_runs_only_its_own_script_and_loads_nothing_else(sandbox: Sandbox) -> None:
    answer = sandbox.browser.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script(?! src=\"/static/)|\sstyle=|<style|\son\w+=", answer.text)
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        assert sandbox.browser.get(path).status_code == 200
    assert not re.search(r'(?:href|src)="(?:https?:)?//', answer.text)


def test_what_is_new_is_told_once(sandbox: Sandbox) -> None:
    first = sandbox.browser.get("/live", params={"patient": "p1"})
    again = sandbox.browser.get(
        "/live", params={"patient": "p1"}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (first.status_code, again.status_code) == (200, 304)
    sandbox.text("+15035550110", "News")
    fresh = sandbox.browser.get(
        "/live", params={"patient": "p1"}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert "News" in fresh.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_cannot_text(sandbox: Sandbox, site: str) -> None:
    answer = sandbox.browser.post(
        "/text", data={"phone": "+1", "body": "x"}, headers={"Sec-Fetch-Site": site}
    )
    assert answer.status_code == 403


def test_a_name_that_was_made_to_point_here_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.browser.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert sandbox.browser.get("/", headers={"Host": "localhost:80"}).status_code == 200


def test_nothing_is_texted_without_words(sandbox: Sandbox) -> None:
    assert sandbox.browser.post("/text", data={"phone": "+15035550110"}).status_code == 400


def test_an_unknown_patient_or_mail_breaks_nothing(sandbox: Sandbox) -> None:
    assert "Ana" in sandbox.page(patient="nobody", mail="none")
    assert sandbox.browser.get("/mail/none").status_code == 404
    assert sandbox.browser.post("/unsubscribe", data={"mail": "none"}).status_code == 404


def test_texts_mails_and_stops_outlive_the_processes(tmp_path: Path) -> None:
    phone = "+15035550142"
    with running_sandbox(tmp_path) as first:
        assert "Nobody yet" in first.page()
        first.text(phone, "Before")
        first.mail("ana@example.org", "Kept", "<p>Hi</p>", "https://clinic.example/u")
        first.browser.post("/text", data={"phone": phone, "body": "stop"})
    with (tmp_path / "texts.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"event": "text", "te')  # as a crash leaves it
    with running_sandbox(tmp_path) as second:
        page = second.page(patient="t1")
        assert "Before" in page
        assert "The carrier blocks texts" in page
        assert "Kept" in second.page(patient="m1")
        second.browser.post("/text", data={"phone": phone, "body": "start"})
    with running_sandbox(tmp_path) as third:
        assert "The carrier blocks texts" not in third.page(patient="t1")


def test_a_provider_that_leaves_the_keywords_to_us_blocks_nothing(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, "--opt-out-handling", "ours", "--no-receipts") as sandbox:
        sandbox.browser.post("/text", data={"phone": "+15035550143", "body": "STOP"})
        sandbox.text("+15035550143", "Still here")
        page = sandbox.page()
        assert "unsubscribed" not in page
        assert "On its way" in page
