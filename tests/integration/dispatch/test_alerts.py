"""Staff are told of what may be urgent, by every way their clinic has, until somebody takes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.dispatch.alerting import signature
from service.inbox.receive import InboundText
from service.store.tasks import Task, TaskKind
from tests.fakes.provider import SENDER
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker

PATIENT = "+15035550161"
NURSE, DESK = "+15035550190", "desk@clinic.example"
SECRET = "a-secret-of-this-clinic"
URGENT = "my left leg is swollen and hot"


@dataclass
class Hook:
    """The clinic's far end of the webhook."""

    url: str = ""
    status: int = 204
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Hook]:
    hook = Hook()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.calls.append(({name.lower(): v for name, v in self.headers.items()}, body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    hook.url = f"http://127.0.0.1:{server.server_port}/alerts"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as running:
        yield running


@pytest.fixture
def worker(workers: Workers, tmp_path: Path, hook: Hook) -> Worker:
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(
        f"""[[clinic]]
id = "riverside"
name = "Riverside Clinic"
phone = "(503) 555-0142"
postal_address = "12 Harbor Street, Portland, OR 97201"
alert_emails = ["{DESK}"]
alert_phones = ["(503) 555-0190"]
alert_webhook = "{hook.url}"
alert_secret = "{SECRET}"
"""
    )
    started = workers(clinics=clinics)
    started.drain()
    return started


def escalate(worker: Worker, body: str = URGENT, sid: str = "SM" + "7" * 32) -> Task:
    worker.core.inbox.receive(InboundText(sid, PATIENT, SENDER, body))
    (task,) = [t for t in worker.core.tasks.waiting() if t.kind is not TaskKind.REPLY]
    return task


def texts(worker: Worker) -> list[str]:
    return [t["body"] for t in worker.provider.accepted() if t["to"] == NURSE]


def mails(worker: Worker, task: Task) -> list[str]:
    found = [m["content"] for m in worker.mail.accepted() if m["to"] == [DESK]]
    return [content for content in found if task.id in content]


def alerted(worker: Worker) -> None:
    """An alert that is due is sent, and the time until the next one passes."""
    worker.drain()
    worker.drain()  # the tick after it sends what it has queued
    worker.wait(worker.core.settings.alert_again_s)


def test_an_urgent_reply_is_told_of_by_every_way_at_once(worker: Worker, hook: Hook) -> None:
    before = len(texts(worker))
    task = escalate(worker)
    worker.drain()
    worker.drain()
    assert len(texts(worker)) == before + 1
    assert task.id in texts(worker)[-1]
    assert len(mails(worker, task)) == 1
    assert len(hook.calls) == 1


def test_nothing_of_the_patient_stands_in_an_alert(worker: Worker, hook: Hook) -> None:
    task = escalate(worker)
    worker.drain()
    worker.drain()
    told = " ".join([texts(worker)[-1], *mails(worker, task), repr(hook.calls)])
    assert "swollen" not in told
    assert PATIENT not in told


def test_the_webhook_is_signed_so_that_its_receiver_can_tell(worker: Worker, hook: Hook) -> None:
    task = escalate(worker)
    worker.drain()
    ((headers, body),) = hook.calls
    name, at_s = headers["webhook-id"], int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(SECRET, name, at_s, body)
    assert headers["webhook-signature"] != signature("another secret of nobody", name, at_s, body)
    assert task.id.encode() in body


def test_it_is_told_again_until_somebody_takes_it(worker: Worker, hook: Hook) -> None:
    before = len(texts(worker))
    task = escalate(worker)
    for _ in range(3):
        alerted(worker)
    assert len(hook.calls) == 3
    worker.core.tasks.take(task.id, "ana")
    for _ in range(3):
        worker.drain()
        worker.wait(worker.core.settings.alert_again_s)
    assert len(hook.calls) == 3
    assert len(texts(worker)) == before + 3


def test_a_rating_that_is_much_worse_is_told_of_once(worker: Worker, hook: Hook) -> None:
    worker.enrol_by_text(phone=PATIENT)
    task = escalate(worker, "9")
    assert task.kind is TaskKind.WORSE
    for _ in range(3):
        worker.drain()
        worker.wait(worker.core.settings.alert_again_s)
    assert len(hook.calls) == 1


def test_a_webhook_that_is_down_holds_up_neither_the_others_nor_the_next_alert(
    worker: Worker, hook: Hook
) -> None:
    hook.status = 500
    before = len(texts(worker))
    escalate(worker)
    for _ in range(2):
        alerted(worker)
    assert len(texts(worker)) >= before + 2
    assert len(hook.calls) >= 2


def test_an_alert_goes_out_while_patients_wait_for_the_providers_list(
    worker: Worker,
) -> None:
    worker.provider.settings(list_down=True)
    worker.core.client.set("av:gap", 1)
    patient = worker.enrol_by_text()
    task = escalate(worker)
    worker.drain()
    worker.drain()
    assert len(mails(worker, task)) == 1
    assert patient.texts == [], "an opt-out may stand in the list that cannot be read"


def test_what_is_told_of_once_is_told_again_where_it_reached_nobody(
    workers: Workers, tmp_path: Path, hook: Hook
) -> None:
    clinics = tmp_path / "only-a-webhook.toml"
    clinics.write_text(
        'clinic = [{ id = "riverside", name = "Riverside Clinic", phone = "(503) 555-0142", '
        f'postal_address = "12 Harbor Street", alert_webhook = "{hook.url}", '
        f'alert_secret = "{SECRET}" }}]\n'
    )
    worker = workers(clinics=clinics)
    worker.enrol_by_text(phone=PATIENT)
    worker.drain()
    hook.status = 503
    escalate(worker, "9", "SM" + "8" * 32)
    worker.drain()
    hook.status = 204
    for _ in range(3):
        worker.wait(worker.core.settings.alert_again_s)
        worker.drain()
    assert len(hook.calls) == 2, "refused, then taken, then no more"
