"""Beats, claims, rates, templates: what is due goes out once, whoever is slow, frozen or wrong."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import messages
from messages.catalog import Catalog
from schedules.delivery import State
from service.bootstrap import Core, Dispatch
from service.clock import from_ms
from service.dispatch.drain import BATCH
from service.dispatch.tick import Ticker
from service.errors import StoreUnavailable
from service.store import keys
from service.store.flights import Beginning
from service.store.installation import StoredClock
from service.store.rates import Grant, Rates
from service.store.records import Claimed
from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker
from tests.support.polling import until


def ticker(worker: Worker, queued: list[int], name: str, factor: float | None = None) -> Ticker:
    core = worker.core
    return Ticker(
        core.client,
        core.dispatch_store,
        core.partitions,
        core.business,
        core.machine,
        queued.append,
        name=name,
        factor=factor,
    )


def claim(worker: Worker) -> list[Claimed]:
    lease_end = worker.machine.now_ms() + 2_000
    return worker.core.dispatch_store.claim(0, worker.core.business.now_ms(), BATCH, lease_end)


def begin(worker: Worker, claimed: Claimed) -> str:
    (answer,) = worker.core.dispatch_store.begin(
        [
            Beginning(
                claimed=claimed,
                attempt=worker.core.patients.new_attempt(claimed.fields.id),
                channel="sms",
                lease_until_ms=worker.machine.now_ms() + 2_000,
                cap_day=None,
                begun_ms=worker.machine.now_ms(),
            )
        ]
    )
    return answer


def test_a_claim_whose_worker_froze_goes_out_once_by_another(worker: Worker) -> None:
    patient = worker.enrol()
    (frozen,) = claim(worker)
    worker.drain()
    assert patient.texts == []
    worker.wait(3)
    worker.drain()
    assert patient.states == [State.SENT]
    assert begin(worker, frozen) == "lost", "thawed, it may not begin any more"
    assert len(patient.texts) == 1


def test_an_attempt_that_grew_old_before_its_send_is_given_back_and_goes_later(
    worker: Worker,
) -> None:
    patient, by_mail = worker.enrol_by_text(), worker.enrol_by_mail()
    worker.machine.late_s = 3
    for _ in range(3):
        worker.drain()
    assert (patient.texts, by_mail.mails) == ([], [])
    worker.machine.late_s = 0
    worker.drain()
    assert (len(patient.texts), len(by_mail.mails)) == (1, 1)
    assert [entry.attempts for entry in (*patient.history, *by_mail.history)] == [1, 1]


def test_drains_of_one_partition_at_once_send_each_message_once(workers: Workers) -> None:
    one, two = workers(in_flight=4), workers(in_flight=4)
    patients = [one.enrol() for _ in range(20)]
    # Both event loops run at once, each in a thread of its own.
    with asyncio.Runner() as runner:
        other = Dispatch(two.core)

        async def both() -> None:
            await asyncio.gather(
                asyncio.to_thread(one.drain), asyncio.to_thread(two.drain), other.drain(0)
            )
            await other.aclose()

        runner.run(both())
    one.drain()
    assert [patient.states for patient in patients] == [[State.SENT]] * 20
    assert [len(patient.texts) for patient in patients] == [1] * 20


def test_of_two_beats_one_leads_and_the_other_takes_over_when_it_stops(worker: Worker) -> None:
    worker.enrol()
    queued: list[int] = []
    one, two = ticker(worker, queued, "one"), ticker(worker, queued, "two")
    assert one.tick().queued == 1
    assert not two.tick().led
    worker.core.client.delete(keys.LEADER)  # as it expires by itself
    assert two.tick().led
    assert not one.tick().led


def test_what_two_beats_queue_twice_is_sent_once(worker: Worker) -> None:
    patients = [worker.enrol() for _ in range(3)]
    queued: list[int] = []
    mark = keys.PartitionKeys(0).queued
    for name in ("one", "two"):
        worker.core.client.delete(keys.LEADER, mark)
        assert ticker(worker, queued, name).tick().led
    assert queued == [0, 0]
    for _ in queued:
        worker.drain()
    assert [len(patient.texts) for patient in patients] == [1, 1, 1]


def test_a_drain_that_the_broker_lost_is_queued_again(worker: Worker) -> None:
    worker.enrol()
    queued: list[int] = []
    beat = ticker(worker, queued, "one")
    assert [beat.tick().queued for _ in range(3)] == [1, 0, 0], "it waits in the broker"
    worker.core.client.delete(keys.PartitionKeys(0).queued)  # as it expires by itself
    assert beat.tick().queued == 1


def test_a_broker_that_is_away_costs_a_few_seconds_and_nothing_else(worker: Worker) -> None:
    worker.enrol()

    def refuse(_partition: int) -> None:
        raise ConnectionError("no broker")

    core = worker.core
    beat = Ticker(
        core.client,
        core.dispatch_store,
        core.partitions,
        core.business,
        core.machine,
        refuse,
        name="one",
        factor=None,
    )
    with pytest.raises(ConnectionError):
        beat.tick()
    assert 0 < core.client.pttl(keys.PartitionKeys(0).queued) <= 5_000


def test_fast_time_never_passes_a_due_instant_while_work_is_open(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    patient.refused("error_after")
    worker.provider.settings(hidden=1)
    queued: list[int] = []
    beat = ticker(worker, queued, "one", factor=1e9)
    started = worker.core.business.now_ms()
    assert beat.tick().queued == 1
    worker.drain()
    for _ in range(3):  # the question is open: held, not due
        assert not beat.tick().idle
        worker.wait(0.1)
    assert worker.core.business.now_ms() == started
    worker.provider.settings(hidden=0)
    worker.drain_until(lambda: patient.history, "it is settled")
    (pending,) = worker.core.dispatch_store.peek([0])
    assert pending.due_ms is not None
    for _ in range(5):
        beat.tick()
    assert worker.core.business.now_ms() == pending.due_ms, "to the instant, and no further"


def test_fast_time_stands_still_until_somebody_is_enrolled(worker: Worker) -> None:
    beat = ticker(worker, [], "one", factor=1e9)
    clock = worker.core.business
    begin_ms = clock.now_ms()
    for _ in range(3):
        beat.tick()
    assert clock.now_ms() == begin_ms
    worker.enrol(start="2026-04-01")
    until(lambda: beat.tick().led and clock.now_ms() > begin_ms, "time passes")


def test_a_beat_that_was_overtaken_does_not_set_time_back(worker: Worker) -> None:
    clock = worker.core.business
    assert isinstance(clock, StoredClock)
    now = clock.now_ms()
    clock.set_ms(now + 60_000)
    clock.set_ms(now + 1_000)
    assert clock.now_ms() == now + 60_000


def test_a_slow_sender_holds_back_and_loses_nothing(workers: Workers) -> None:
    worker = workers(sms_per_second=1)
    patients = [worker.enrol_by_text() for _ in range(4)]
    sent = []
    for _ in range(5):
        worker.drain()
        sent.append(sum(len(patient.texts) for patient in patients))
        worker.wait(1.05)
    assert sent[0] == 1
    assert all(after - before <= 2 for before, after in pairwise(sent))
    worker.drain_until(lambda: all(p.history for p in patients), "all are sent")
    assert [len(patient.texts) for patient in patients] == [1] * 4


def test_a_template_that_cannot_be_rendered_parks_that_delivery_and_no_other(
    workers: Workers, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(Path(messages.__path__[0]) / "library", library)
    template = library / "when-to-seek-help" / "en.jinja"
    text = template.read_text()
    template.write_text(text.replace("{% block email %}", "{% block email %}{{ nonesuch }}"))

    def broken(core: Core) -> None:
        core.__dict__["catalog"] = Catalog.load(library)

    worker = workers(prepare=broken)
    patient, other = worker.enrol(), worker.enrol(series="sleep-hygiene")
    for _ in range(3):
        worker.drain()
        worker.to_next_due()
    worker.drain()
    assert patient.states[:3] == [State.SENT, State.PARKED, State.SENT], "the series goes on"
    parked = patient.history[1]
    assert (parked.message, parked.reason) == ("when-to-seek-help", "template")
    assert patient.mails == []
    assert State.SENT in other.states


def test_what_kills_its_worker_again_and_again_is_parked_and_the_others_flow(
    worker: Worker,
) -> None:
    poison = worker.enrol()
    (claimed,) = claim(worker)  # and dies
    innocent = worker.enrol()
    for _ in range(2):
        worker.wait(3)
        worker.core.dispatch_store.sweep(0, worker.machine.now_ms(), 10, 0)
        claimed = next(c for c in claim(worker) if c.fields.id == poison.receipt.patient)
        worker.core.dispatch_store.suspect(claimed)  # taken alone, and dies
    worker.wait(3)
    worker.drain()
    assert (poison.states, poison.history[0].reason) == ([State.PARKED], "poison")
    assert poison.texts == []
    assert innocent.states == [State.SENT]


def test_a_claim_that_a_stalled_store_never_handed_out_is_no_poison(worker: Worker) -> None:
    patients = [worker.enrol() for _ in range(3)]
    for _ in range(5):
        claim(worker)  # the answer is lost on its way
        worker.wait(3)
        worker.core.dispatch_store.sweep(0, worker.machine.now_ms(), 10, 0)
    worker.drain()
    assert [patient.states for patient in patients] == [[State.SENT]] * 3


def test_what_its_worker_lives_through_is_no_poison_however_often_the_store_fails_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = worker.enrol()
    claim(worker)  # and dies

    def failing(*_: object) -> Grant:
        raise StoreUnavailable("The store did not answer in time.")

    with monkeypatch.context() as patched:
        patched.setattr(Rates, "take", failing)
        for _ in range(5):
            worker.wait(3)
            with pytest.raises(StoreUnavailable):
                worker.drain()
    worker.wait(3)
    worker.drain()
    assert patient.states == [State.SENT]


def test_a_slow_provider_makes_nobody_a_suspect(workers: Workers) -> None:
    worker, other = workers(in_flight=1, lease_s=1), workers(lease_s=1)
    patients = [worker.enrol_by_text() for _ in range(6)]
    worker.provider.script({"fault": "delay", "seconds": 0.3, "times": 6})
    with asyncio.Runner() as runner:

        async def watched() -> set[int]:
            slow, lost = asyncio.create_task(asyncio.to_thread(worker.drain)), set[int]()
            while not slow.done():
                other.core.dispatch_store.sweep(0, other.machine.now_ms(), 10, 0)
                for patient in patients:
                    found = other.core.patients.load(patient.receipt.patient).subscription(1)
                    assert found is not None
                    lost.add(found.lost_leases)
                await asyncio.sleep(0.02)
            await slow
            return lost

        assert runner.run(watched()) == {0}
    worker.drain()
    assert [len(patient.texts) for patient in patients] == [1] * 6


def test_a_contact_that_cannot_be_read_holds_up_nobody_else(worker: Worker) -> None:
    broken, sound = worker.enrol(), worker.enrol()
    key = keys.PartitionKeys(0).patient(broken.receipt.patient)
    contact = worker.core.client.hget(key, "c")
    assert contact is not None
    worker.core.client.hset(key, "c", b"\x00")
    worker.drain()
    assert (broken.history, sound.states) == ([], [State.SENT])
    worker.core.client.hdel(key, "c")
    worker.wait(61)
    worker.drain()
    worker.core.client.hset(key, "c", contact)
    worker.wait(61)
    worker.drain()
    assert broken.states == [State.SENT], "mended, it goes out"


def test_what_fell_due_in_an_outage_goes_out_later_and_inside_the_window(worker: Worker) -> None:
    patient = worker.enrol_by_text()
    worker.drain()
    worker.to_next_due()
    clock = worker.core.business
    assert isinstance(clock, StoredClock)
    clock.set_ms(clock.now_ms() + int(timedelta(hours=11).total_seconds() * 1000))
    worker.drain()  # it is night now
    assert len(patient.texts) == 1
    for _ in range(3):
        worker.to_next_due()
        worker.drain()
    late = patient.history[1:]
    assert late
    for entry in late:
        assert 7 <= (from_ms(entry.at_ms) - timedelta(hours=8)).hour < 21
    days = [(from_ms(entry.at_ms) - timedelta(hours=8)).date() for entry in late[1:]]
    assert len(set(days)) == len(days), "no flood"
