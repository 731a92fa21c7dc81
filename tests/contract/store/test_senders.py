"""What all workers share of a sender: its rate, a pause, a stop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from service.store import keys
from service.store.rates import PROBE_MS, Grant, Proof
from tests.contract.store.installation import PHONE, Installed


def test_a_sender_sends_no_faster_than_its_rate(store: Installed) -> None:
    granted = 0
    for _ in range(100):
        granted += store.rates.take(PHONE, 10, 5.0).count
        store.machine.ms += 100
    assert granted == 5 + 49, "a burst of a second, then five a second"


def test_a_slow_sender_is_told_when_its_next_turn_comes(store: Installed) -> None:
    assert store.rates.take(PHONE, 3, 0.5) == Grant(1, store.machine.ms + 2_000)
    store.machine.ms += 1_999
    grant = store.rates.take(PHONE, 1, 0.5)
    assert grant.count == 0
    store.machine.ms = grant.next_ms
    assert store.rates.take(PHONE, 1, 0.5).count == 1


def test_workers_at_once_share_one_rate(store: Installed) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.rates.take(PHONE, 5, 20.0).count, range(16)))
    assert sum(answers) == 20


def test_a_worker_whose_clock_lags_grants_nothing_twice(store: Installed) -> None:
    assert store.rates.take(PHONE, 10, 10.0).count == 10
    store.machine.ms -= 1_000
    assert store.rates.take(PHONE, 10, 10.0).count == 0
    store.machine.ms += 1_000
    assert store.rates.take(PHONE, 10, 10.0).count == 0


def test_senders_do_not_slow_each_other(store: Installed) -> None:
    assert store.rates.take(PHONE, 1, 1.0).count == 1
    assert store.rates.take("+15005550007", 1, 1.0).count == 1


def test_a_pause_holds_everybody_until_it_is_over(store: Installed) -> None:
    store.rates.pause(PHONE, 5)
    assert store.rates.take(PHONE, 1, 100.0) == Grant(0, store.machine.ms + 5_000)
    assert store.rates.closed_until(PHONE) == store.machine.ms + 5_000
    store.machine.ms += 5_000
    assert store.rates.closed_until(PHONE) is None
    assert store.rates.take(PHONE, 1, 100.0).count == 1


def test_a_shorter_pause_does_not_end_a_longer_one(store: Installed) -> None:
    store.rates.pause(PHONE, 30)
    store.rates.pause(PHONE, 1)
    assert store.rates.closed_until(PHONE) == store.machine.ms + 30_000


def stop(
    store: Installed, *, begun_ms: int | None = None, proof: Proof = "answer", code: str = "20003"
) -> bool:
    begun = store.machine.ms if begun_ms is None else begun_ms
    return store.rates.stop(PHONE, begun_ms=begun, code=code, reason="Credentials.", proof=proof)


def resume(
    store: Installed, by: Proof | Literal["command"] = "command", *, begun_ms: int = 0
) -> bool:
    return store.rates.resume(store.rates.name(PHONE), by=by, begun_ms=begun_ms)


def test_a_stopped_sender_stays_stopped_until_it_is_resumed(store: Installed) -> None:
    assert store.rates.closed_until(PHONE) is None
    assert stop(store)
    assert not stop(store), "it is told only once"
    store.machine.ms += 10 * 86_400_000
    assert store.rates.closed_until(PHONE) is not None
    assert store.client.pttl(keys.rate(store.rates.name(PHONE))) == -1, "it does not expire"
    assert resume(store)
    assert not resume(store)
    assert store.rates.closed_until(PHONE) is None
    assert store.rates.take(PHONE, 5, 5.0) == Grant(5, store.machine.ms + 200)


def test_of_all_workers_exactly_one_probes_a_stopped_sender_each_interval(
    store: Installed,
) -> None:
    stop(store)
    granted = []
    began = store.machine.ms
    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            grants = list(pool.map(lambda _: store.rates.take(PHONE, 5, 20.0), range(24)))
        granted.append([grant for grant in grants if grant.count])
        store.machine.ms += PROBE_MS
    probes = [Grant(1, began + interval * PROBE_MS, probe=True) for interval in (2, 3)]
    assert granted == [[], probes[:1], probes[1:]]


def test_a_clock_set_back_does_not_put_a_probe_off(store: Installed) -> None:
    stop(store)
    store.machine.ms -= 86_400_000
    assert store.rates.take(PHONE, 1, 1.0) == Grant(0, store.machine.ms + PROBE_MS)
    assert store.rates.closed_until(PHONE) == store.machine.ms + PROBE_MS


def test_a_pause_ends_at_the_same_instant_wherever_the_clock_is_set(store: Installed) -> None:
    """A delivery that is held until then must not be held an hour longer by a clock put right."""
    ends = store.machine.ms + 30_000
    store.rates.pause(PHONE, 30)
    store.machine.ms -= 3_600_000
    assert store.rates.take(PHONE, 1, 1.0) == Grant(0, ends)
    assert store.rates.closed_until(PHONE) == ends


@pytest.mark.parametrize("proof", ["answer", "receipt"])
def test_an_answer_resumes_only_what_an_answer_stopped(store: Installed, proof: Proof) -> None:
    stop(store, proof=proof)
    store.machine.ms += PROBE_MS
    assert resume(store, "answer", begun_ms=store.machine.ms) is (proof == "answer")
    assert resume(store, "receipt", begun_ms=store.machine.ms) is (proof == "receipt")


def test_what_was_begun_before_the_refusal_proves_nothing(store: Installed) -> None:
    before = store.machine.ms
    store.machine.ms += 5
    stop(store)
    assert not resume(store, "answer", begun_ms=before)
    assert store.rates.closed_until(PHONE) is not None


def test_a_late_refusal_of_what_was_begun_before_the_sender_was_mended_stops_nothing(
    store: Installed,
) -> None:
    stop(store)
    begun_ms = store.machine.ms
    store.machine.ms += PROBE_MS
    resume(store)
    assert not stop(store, begun_ms=begun_ms, proof="receipt")
    assert store.rates.closed_until(PHONE) is None
    assert stop(store)


def test_what_was_filtered_is_counted_by_the_day(store: Installed) -> None:
    assert store.rates.filtered(PHONE) == (1, 0)
    store.rates.take(PHONE, 10, 10.0)
    assert store.rates.filtered(PHONE) == (2, 10)
    store.machine.ms += 86_400_000
    store.rates.take(PHONE, 3, 10.0)
    assert store.rates.record(PHONE).filtered == 0
    assert store.rates.filtered(PHONE) == (1, 3)


def test_what_is_kept_of_a_sender_does_not_name_it_and_does_not_stay(store: Installed) -> None:
    store.rates.pause(PHONE, 1)
    store.rates.filtered(PHONE)
    store.rates.take(PHONE, 1, 1.0)
    stop(store)
    resume(store)
    (key,) = store.keys(keys.rate("*"))
    assert PHONE not in key
    assert store.client.pttl(key) > 0


def test_a_record_tells_what_is_known_of_a_sender(store: Installed) -> None:
    store.rates.take(PHONE, 4, 10.0)
    stop(store, code="30034")
    store.rates.pause(PHONE, 5)
    record = store.rates.record(PHONE)
    assert (record.stopped_ms, record.code) == (store.machine.ms, "30034")
    assert (record.probe_ms, record.until_ms) == (
        store.machine.ms + PROBE_MS,
        store.machine.ms + 5_000,
    )
    assert record.sent == 4
    assert store.client.pttl(keys.rate(store.rates.name(PHONE))) == -1, "a pause keeps the stop"
