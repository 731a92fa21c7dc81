from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.inbox.receive import GRACE_MS, InboundText
from service.store.flights import Beginning
from service.store.records import Claimed
from tests.support.web import PUBLIC_URL, SENDER, Site, new_sid, said, site, text_fields

PHONE = "+15035550142"
INBOUND = "/webhooks/twilio/inbound"
ERA_MS = 4_000_000_000_000  # everything is due by then


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """An application whose store a test may kill."""
    with site(tmp_path) as running:
        yield running


def claim_all(web: Site) -> list[Claimed]:
    store = web.core.dispatch_store
    return [
        claimed
        for partition in range(web.core.partitions)
        for claimed in store.claim(partition, ERA_MS, 1000, ERA_MS)
    ]


def begin(web: Site, claimed: Claimed) -> str:
    attempt = web.core.patients.new_attempt(claimed.fields.id)
    return web.core.dispatch_store.begin([Beginning(claimed, attempt, "sms", ERA_MS, None, 0)])[0]


def test_an_acknowledged_stop_outlives_the_store_being_killed(own: Site) -> None:
    patient = own.enrol(phone=PHONE)
    assert said(own.text(PHONE, "Stop please")) is not None
    own.server.kill()
    own.server.start()
    assert own.silent(patient)


def test_while_the_store_is_down_nothing_is_acknowledged_and_a_retry_then_counts(own: Site) -> None:
    patient = own.enrol(phone=PHONE, email="ana@example.com")
    link = own.core.composer.unsubscribe_url("ana@example.com").removeprefix(PUBLIC_URL)
    fields = text_fields(PHONE, "Stop please")
    own.server.kill()

    assert own.post(INBOUND, fields).status_code == 503
    receipt = {"MessageSid": new_sid(), "MessageStatus": "sent"}
    assert own.post(f"/webhooks/twilio/status?a={'0' * 26}", receipt).status_code == 503
    assert own.client.post(link).status_code == 503
    assert own.client.get(link).status_code == 503
    assert own.client.get("/readyz").status_code == 503
    assert own.client.get("/healthz").status_code == 200

    own.server.start()
    assert said(own.post(INBOUND, fields)) is not None
    assert own.client.post(link).status_code == 200
    assert own.silent(patient, "sms")
    assert own.silent(patient, "email")


def test_a_stop_whose_store_died_under_it_is_finished_later(own: Site) -> None:
    """Copies arrive while the store is killed again and again; the last word is the stop."""
    patient = own.enrol(phone=PHONE)
    text = InboundText(new_sid(), PHONE, SENDER, "STOP")
    stop = threading.Event()

    def keep_posting() -> None:
        fields = text_fields(PHONE, text.body, text.message_id)
        while not stop.is_set():
            assert own.post(INBOUND, fields).status_code in {200, 503}

    thread = threading.Thread(target=keep_posting)
    thread.start()
    for _ in range(3):
        own.server.kill()
        own.server.start()
    stop.set()
    thread.join()

    own.core.inbox.receive(text)
    assert own.silent(patient)
    assert own.core.inbox.finish_open(own.core.machine.now_ms() + GRACE_MS) == 0


def test_no_text_is_begun_after_a_stop_was_acknowledged(own: Site) -> None:
    for name in ("Ana", "Ben", "Cleo"):
        own.enrol(name, phone=PHONE)
    claims = claim_all(own)
    assert len(claims) == 3
    assert begin(own, claims[0]) == "ok"

    own.text(PHONE, "STOP")

    assert {begin(own, claimed) for claimed in claims[1:]} <= {"stopped", "suppressed"}


def test_a_stop_that_races_the_begin_of_many_wins_from_its_answer_on(own: Site) -> None:
    for number in range(40):
        own.enrol(f"Patient {number}", phone=PHONE)
    claims = claim_all(own)
    begun_at: list[float] = []
    started = threading.Event()

    def begin_all() -> None:
        for claimed in claims:
            started.set()
            at = time.monotonic()
            if begin(own, claimed) == "ok":
                begun_at.append(at)

    thread = threading.Thread(target=begin_all)
    thread.start()
    started.wait(10)
    own.text(PHONE, "STOP")
    acknowledged = time.monotonic()
    thread.join()

    assert not [at for at in begun_at if at > acknowledged]
