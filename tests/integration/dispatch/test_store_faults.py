"""The store goes away at the worst moments: what a worker knows is not lost, nothing goes twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from schedules.delivery import State
from service.bootstrap import Core
from service.carriers.base import Found, Inbound, Outcome, OutgoingText, Result
from service.dispatch.parts import Carriers
from service.errors import StoreUnavailable
from service.store.dispatching import DispatchStore
from service.store.flights import Beginning, Begun, Conclusion
from service.store.records import Status
from service.store.scripts import Scripts
from tests.fakes.mail_server import RunningMailServer
from tests.fakes.provider import RunningProvider
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker
from tests.support.polling import until
from tests.support.servers import valkey_server


class LossyStore(DispatchStore):
    """The store behind a wire that loses answers, though what was asked is done."""

    def __init__(self, scripts: Scripts, *, begins: int = 0, concludes: int = 0) -> None:
        super().__init__(scripts)
        self.begins, self.concludes = begins, concludes

    async def begin_soon(self, beginnings: Sequence[Beginning]) -> list[Begun]:
        answers = await super().begin_soon(beginnings)
        self.begins -= 1
        if self.begins >= 0:
            raise StoreUnavailable("The store did not answer in time.")
        return answers

    async def conclude_soon(self, conclusions: Sequence[Conclusion]) -> list[bool]:
        answers = await super().conclude_soon(conclusions)
        if conclusions:
            self.concludes -= 1
            if self.concludes >= 0:
                raise StoreUnavailable("The store did not answer in time.")
        return answers


def lossy(workers: Workers, *, begins: int = 0, concludes: int = 0) -> Worker:
    def prepare(core: Core) -> None:
        core.__dict__["dispatch_store"] = LossyStore(
            core.scripts, begins=begins, concludes=concludes
        )

    return workers(prepare=prepare)


def test_a_begin_whose_answer_is_lost_is_asked_again_and_sent_once(workers: Workers) -> None:
    worker = lossy(workers, begins=2)
    patient, by_mail = worker.enrol_by_text(), worker.enrol_by_mail()
    worker.drain()
    assert (patient.states, by_mail.states) == ([State.SENT], [State.SENT])
    assert (len(patient.texts), len(by_mail.mails)) == (1, 1)


def test_a_record_whose_answer_is_lost_is_written_once(workers: Workers) -> None:
    worker = workers()
    patients = [worker.enrol() for _ in range(3)]
    store = worker.core.dispatch_store
    slow = LossyStore(worker.core.scripts, concludes=1)
    worker.dispatch._drain._sending._stores = replace(worker.core.stores, dispatch=slow)
    worker.drain()
    assert slow.concludes < 0
    assert [patient.states for patient in patients] == [[State.SENT]] * 3
    assert [len(patient.texts) for patient in patients] == [1, 1, 1]
    assert store.peek([0])[0].held == 0


def test_a_store_that_dies_between_send_and_record_makes_nothing_unknown(
    provider: RunningProvider, mail: RunningMailServer, tmp_path: Path
) -> None:
    with valkey_server(tmp_path / "store") as server:
        worker = Worker.start(server, provider, mail, tmp_path / "data", lease_s=8)
        try:
            worker.drain()  # it has read the list of what was texted to us
            text, letter = worker.enrol_by_text(), worker.enrol_by_mail()
            provider.script({"fault": "delay", "seconds": 0.6, "to": text.phone})
            before = provider.requests()

            def sending() -> None:
                with suppress(StoreUnavailable):  # it looks for more to send, and tells
                    worker.drain()

            drain = threading.Thread(target=sending)
            drain.start()
            until(lambda: provider.requests() > before and letter.mails, "both are under way")
            server.kill()
            until(lambda: text.texts, "the provider has it; nothing can be recorded")
            server.start()
            drain.join(20)
            assert not drain.is_alive()
            assert (text.states, letter.states) == ([State.SENT], [State.SENT])
            assert (len(text.texts), len(letter.mails)) == (1, 1)
        finally:
            worker.close()


def test_what_fell_due_while_the_store_was_down_goes_out_when_it_is_back(
    provider: RunningProvider, mail: RunningMailServer, tmp_path: Path
) -> None:
    with valkey_server(tmp_path / "store") as server:
        worker = Worker.start(server, provider, mail, tmp_path / "data")
        try:
            patients = [worker.enrol() for _ in range(3)]
            server.kill()
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    worker.drain()
            server.start()
            worker.drain()
            assert [patient.states for patient in patients] == [[State.SENT]] * 3
            assert [len(patient.texts) for patient in patients] == [1, 1, 1]
        finally:
            worker.close()


def test_a_provider_opt_out_is_recorded_though_the_store_was_away(workers: Workers) -> None:
    worker = workers()
    patient, other = worker.enrol_by_text(), worker.enrol_by_text()
    for refused in (patient, other):
        refused.refused("refuse", code=21610)
    suppress, failures = worker.core.suppressions.suppress, [StoreUnavailable("away")] * 2

    def flaky(*args: object, **words: object) -> object:
        if failures:
            raise failures.pop()
        return suppress(*args, **words)  # type: ignore[arg-type]

    worker.core.suppressions.suppress = flaky  # type: ignore[assignment,method-assign]
    worker.drain()
    assert (patient.status, other.status) == (Status.OPTED_OUT, Status.OPTED_OUT)


class Faulty:
    """A text carrier with a fault of its own for one number."""

    def __init__(self, broken: str) -> None:
        self.broken = broken
        self.sent: list[str] = []

    async def send(self, text: OutgoingText) -> Outcome:
        if text.to == self.broken:
            raise RuntimeError(f"a fault about {text.to}")
        await asyncio.sleep(0.01)
        self.sent.append(text.to)
        return Outcome(Result.ACCEPTED, "taken", provider_id="SM1")

    async def find(self, to: str, since_ms: int) -> list[Found]:
        del to, since_ms
        return []

    async def inbound(self, since_ms: int, to: str | None = None) -> list[Inbound]:
        del since_ms, to
        return []

    async def received_ms(self, provider_id: str) -> int | None:
        del provider_id
        return None

    async def redact(self, provider_id: str) -> None:
        del provider_id

    async def aclose(self) -> None:
        pass


def test_a_fault_in_one_send_loses_no_other_outcome(worker: Worker) -> None:
    first, broken, last = (worker.enrol_by_text() for _ in range(3))
    carrier = Faulty(broken.phone)
    worker.dispatch._drain._sending._carriers = Carriers(carrier, None)
    worker.drain()
    assert (first.states, last.states) == ([State.SENT], [State.SENT])
    assert sorted(carrier.sent) == sorted([first.phone, last.phone])
    worker.drain_until(lambda: broken.history, "nobody knows whether it left")
    assert broken.states == [State.UNKNOWN]
    assert len(carrier.sent) == 2
