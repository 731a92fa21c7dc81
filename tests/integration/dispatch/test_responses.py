"""Messages outside of a series leave by a worker: soon, once, and only while they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from itertools import count
from typing import Any

import pytest

from service.store.rates import PROBE_MS
from service.store.responses import Response
from service.store.scripts import as_bytes
from tests.fakes.provider import SENDER
from tests.integration.dispatch.installation import Worker

MAILBOX = "ana.response@example.org"
_numbers = count(7000)


@dataclass(frozen=True)
class Person:
    """Somebody whom nobody else has written to."""

    worker: Worker
    phone: str

    def response(self, once: str = "one", **changes: Any) -> Response:  # noqa: ANN401 - any field
        plain = Response(
            channel="sms",
            to=self.phone,
            clinic="riverside",
            message="rejoined",
            language="en",
            once=f"{self.phone}:{once}",
        )
        return replace(plain, **changes)

    def queue(self, once: str = "one", **changes: Any) -> None:  # noqa: ANN401 - any field
        assert self.worker.core.responses.queue(self.response(once, **changes))

    def state(self, once: str = "one") -> str | None:
        return self.worker.core.responses.state("sms", self.phone, f"{self.phone}:{once}")

    @property
    def texts(self) -> list[str]:
        accepted = self.worker.provider.accepted()
        return [text["body"] for text in accepted if text["to"] == self.phone]


@pytest.fixture
def person(worker: Worker) -> Person:
    worker.drain()  # it has read the list of what was texted to us
    return Person(worker, f"+1503555{next(_numbers)}")


def test_a_text_leaves_at_once_and_once(worker: Worker, person: Person) -> None:
    person.queue()
    worker.drain()
    worker.drain()
    (text,) = person.texts
    assert text.startswith("Riverside Clinic: You're back on our list")
    assert person.state() == "sent"


def test_one_in_a_language_that_the_message_lacks_goes_in_english(
    worker: Worker, person: Person
) -> None:
    person.queue(language="fi")
    worker.drain()
    assert "back on our list" in person.texts[0]


def test_an_e_mail_has_its_own_way_to_leave(worker: Worker, person: Person) -> None:
    person.queue(channel="email", to=MAILBOX)
    worker.drain()
    (mail,) = [m for m in worker.mail.accepted() if m["to"] == [MAILBOX]]
    letter = message_from_bytes(mail["content"].encode(), policy=policy.default)
    assert letter["Subject"] == "You are signed up again"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert worker.core.composer.unsubscribe_url(MAILBOX)[:20] in str(letter["List-Unsubscribe"])


def test_where_mail_comes_back_an_e_mail_names_the_mailbox_it_went_to(
    workers: Callable[..., Worker], person: Person
) -> None:
    worker = workers(return_address="bounces@mail.clinic.example", emails_per_second=1000)
    worker.drain()
    worker.core.responses.queue(person.response("back", channel="email", to="b@example.org"))
    worker.drain()
    (mail,) = [m for m in worker.mail.accepted() if m["to"] == ["b@example.org"]]
    paths, digest = worker.core.return_paths, worker.core.suppressions.digest
    assert paths is not None
    path = paths.open(mail["sender"])
    assert path is not None
    assert path.mailbox == digest("email", "b@example.org")
    assert paths.leave_uri(path.mailbox).removesuffix("?subject=unsubscribe") in mail["content"]


def test_one_that_the_provider_was_too_busy_for_leaves_a_little_later(
    worker: Worker, person: Person
) -> None:
    worker.provider.script({"fault": "busy", "to": person.phone, "retry_after": 2})
    person.queue()
    worker.drain()
    assert person.texts == []
    worker.drain_until(lambda: person.texts, "it is sent after all")
    assert person.state() == "sent"
    assert len(person.texts) == 1


def test_one_whose_answer_was_lost_is_never_sent_again(worker: Worker, person: Person) -> None:
    worker.provider.script({"fault": "close_after", "to": person.phone})
    person.queue()
    worker.drain()
    assert person.state() == "unknown"
    for _ in range(5):
        worker.wait(600)
        worker.drain()
    assert len(person.texts) == 1


def test_a_number_that_has_opted_out_at_the_provider_is_suppressed(
    worker: Worker, person: Person
) -> None:
    worker.provider.block(person.phone)
    person.queue()
    worker.drain()
    assert person.state() == "failed"
    person.queue("two")
    worker.drain()
    assert person.state("two") == "suppressed"


def test_a_stopped_sender_holds_it_back_until_it_works_again(
    worker: Worker, person: Person
) -> None:
    worker.provider.script({"fault": "refuse", "code": 20003, "status": 401, "to": person.phone})
    person.queue(expires_s=10**6)
    worker.drain()
    assert person.state() == "queued"
    assert worker.core.stores.rates.record(SENDER).stopped_ms is not None
    worker.wait(PROBE_MS / 1000)
    worker.drain_until(lambda: person.state() == "sent", "the probe is the answer itself")
    assert len(person.texts) == 1


def test_one_that_has_waited_too_long_is_not_sent_any_more(worker: Worker, person: Person) -> None:
    person.queue(expires_s=60)
    worker.wait(61)
    worker.drain()
    assert person.texts == []
    assert person.state() == "expired"


def test_one_of_a_clinic_that_is_gone_waits_and_holds_up_nobody(
    worker: Worker, person: Person
) -> None:
    person.queue("gone", clinic="closed-down")
    person.queue()
    worker.drain()
    assert person.state() == "sent"
    assert person.state("gone") == "queued"


def test_one_that_cannot_be_read_holds_up_nobody(worker: Worker, person: Person) -> None:
    patient = worker.enrol_by_text()
    person.queue("unreadable")
    (key,) = [k for k in worker.core.client.keys("{p0}:m:*") if person.state("unreadable")]
    sealed = as_bytes(worker.core.client.hget(key, "c") or b"")
    worker.core.client.hset(key, "c", b"\x06oldkey" + sealed[1 + sealed[0] :])
    worker.drain()
    assert len(patient.texts) == 1
