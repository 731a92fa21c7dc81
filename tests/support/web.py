"""The web application on a real store, reached by real HTTP, and a Twilio that signs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx
from twilio.request_validator import RequestValidator

from service.bootstrap import Core
from service.enrolment.form import EnrolmentForm
from service.settings import Settings, load_settings
from service.web.bodies import PACE, Pace
from service.web.run import listening, web_server
from tests.fakes.provider import ACCOUNT, running_provider
from tests.fakes.provider import TOKEN as PROVIDER_TOKEN
from tests.fakes.twilio import ShiftedClock
from tests.support.accounts import make_cheap
from tests.support.polling import until
from tests.support.servers import valkey_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.store.records import Channel
    from tests.fakes.provider import RunningProvider
    from tests.support.servers import Server

TOKEN = "web-test-token"
SENDER = "+15005550006"
PUBLIC_URL = "https://drip.clinic.example"
"""What Twilio and patients know us by; the tests connect to a loopback port, as a proxy would."""
URGENT = "since this morning my left leg is swollen and hot"
"""A text that alerts staff."""
_numbers = count(1)


def web_settings(redis_url: str, directory: Path, **overrides: object) -> Settings:
    """Settings of a web process whose carriers are on loopback."""
    return load_settings(
        **{
            "redis_url": redis_url,
            "data_dir": directory,
            "twilio_account_sid": "AC" + "0" * 32,
            "twilio_auth_token": TOKEN,
            "twilio_from": SENDER,
            "twilio_api_base_url": "http://127.0.0.1:9",
            "public_url": PUBLIC_URL,
            "partitions": 8,
            **overrides,
        }
    )


def new_sid() -> str:
    """A provider's id that no other call has returned."""
    return f"SM{next(_numbers):032x}"


@dataclass
class Site:
    """A running web application."""

    core: Core
    server: Server
    client: httpx.Client
    url: str

    def enrol(self, given_name: str = "Ana", **fields: str) -> str:
        """Enrol somebody; their id."""
        form = {
            "clinic": "",
            "series": "restless-legs",
            "timezone": "America/Los_Angeles",
            "wording": "2026-01",
        }
        if "phone" in fields:
            form["sms_consent"] = "verbal"
        if "email" in fields:
            form["email_consent"] = "verbal"
        receipt = self.core.enrolment.enrol(
            EnrolmentForm(given_name=given_name, **{**form, **fields}), source="test"
        )
        return receipt.patient

    def wait(self, minutes: int) -> None:
        """Let the machine's clock go on, without anybody waiting."""
        assert isinstance(self.core.machine, ShiftedClock)
        self.core.machine.ahead_ms += minutes * 60_000

    def silent(self, patient: str, channel: Channel = "sms") -> bool:
        """Whether the patient's own record says that the channel is suppressed."""
        copy = self.core.patients.load(patient).suppression(channel)
        return bool(copy and copy.on)

    def changes(self) -> int:
        """How many entries the audit has, in all partitions."""
        streams = [f"{{p{partition}}}:audit" for partition in range(self.core.partitions)]
        return sum(int(self.core.client.xlen(stream)) for stream in streams)

    def signature(self, path: str, fields: dict[str, str]) -> str:
        """What Twilio puts in the header for a form posted to this path of ours."""
        token = self.core.settings.twilio_auth_token
        validator = RequestValidator(token.get_secret_value() if token else TOKEN)
        signature: str = validator.compute_signature(self.core.settings.public_base + path, fields)
        return signature

    def post(
        self, path: str, fields: dict[str, str], *, signature: str | None = None
    ) -> httpx.Response:
        """Post a form as Twilio does."""
        signed = self.signature(path, fields) if signature is None else signature
        return self.client.post(path, data=fields, headers={"X-Twilio-Signature": signed})

    def text(
        self, phone: str, body: str, *, sid: str | None = None, **fields: str
    ) -> httpx.Response:
        """Text as a patient."""
        return self.post("/webhooks/twilio/inbound", text_fields(phone, body, sid, **fields))


def text_fields(phone: str, body: str, sid: str | None = None, **fields: str) -> dict[str, str]:
    """The form of an inbound text."""
    sid = sid or new_sid()
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "From": phone,
        "To": SENDER,
        "Body": body,
        "NumMedia": "0",
        **fields,
    }


def said(answer: httpx.Response) -> str | None:
    """The text that a TwiML answer has Twilio send, None for none."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    document = ET.fromstring(answer.content)  # noqa: S314 - our own answer
    assert document.tag == "Response"
    texts = [message.text or "" for message in document.iter("Message")]
    assert len(texts) <= 1
    return texts[0] if texts else None


@contextmanager
def site(directory: Path, **overrides: object) -> Iterator[Site]:
    """Run the web application on a store of its own."""
    with valkey_server(directory / "store") as server:
        core = Core(web_settings(server.url, directory, **overrides), server.url)
        core.machine = ShiftedClock()
        make_cheap(core)
        try:
            with served(core) as (client, url):
                yield Site(core, server, client, url)
        finally:
            core.close()


@contextmanager
def site_with_provider(directory: Path) -> Iterator[tuple[Site, RunningProvider]]:
    """The same, with a provider that it can ask what was texted and when."""
    with (
        running_provider(directory) as provider,
        site(
            directory,
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=PROVIDER_TOKEN,
            twilio_api_base_url=provider.url,
        ) as web,
    ):
        yield web, provider


@contextmanager
def served(core: Core, pace: Pace = PACE) -> Iterator[tuple[httpx.Client, str]]:
    """Serve a core on a free port, from a thread."""
    listener = listening("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = web_server(core, pace)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, "the web process listens")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield client, url
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
