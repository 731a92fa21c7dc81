"""What all workers share of a sender: its rate, a pause, a stop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from service.store import keys
from service.store.rates import STOP_TTL_MS
from tests.contract.store.installation import PHONE, Installed


def test_a_sender_sends_no_faster_than_its_rate(store: Installed) -> None:
    granted = 0
    for _ in range(100):
        granted += store.rates.take(PHONE, 10, 5.0)[0]
        store.machine.ms += 100
    assert granted == 5 + 49, "a burst of a second, then five a second"


def test_a_slow_sender_is_told_when_its_next_turn_comes(store: Installed) -> None:
    assert store.rates.take(PHONE, 3, 0.5) == (1, 2_000)
    store.machine.ms += 1_999
    granted, wait = store.rates.take(PHONE, 1, 0.5)
    assert granted == 0
    store.machine.ms += wait
    assert store.rates.take(PHONE, 1, 0.5)[0] == 1


def test_workers_at_once_share_one_rate(store: Installed) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.rates.take(PHONE, 5, 20.0)[0], range(16)))
    assert sum(answers) == 20


def test_a_worker_whose_clock_lags_grants_nothing_twice(store: Installed) -> None:
    assert store.rates.take(PHONE, 10, 10.0)[0] == 10
    store.machine.ms -= 1_000
    assert store.rates.take(PHONE, 10, 10.0)[0] == 0
    store.machine.ms += 1_000
    assert store.rates.take(PHONE, 10, 10.0)[0] == 0


def test_senders_do_not_slow_each_other(store: Installed) -> None:
    assert store.rates.take(PHONE, 1, 1.0)[0] == 1
    assert store.rates.take("+15005550007", 1, 1.0)[0] == 1


def test_a_pause_holds_everybody_until_it_is_over(store: Installed) -> None:
    store.rates.pause(PHONE, 5)
    assert store.rates.take(PHONE, 1, 100.0) == (0, 5_000)
    assert store.rates.closed_ms(PHONE) == 5_000
    store.machine.ms += 5_000
    assert store.rates.closed_ms(PHONE) == 0
    assert store.rates.take(PHONE, 1, 100.0)[0] == 1


def test_a_shorter_pause_does_not_end_a_longer_one(store: Installed) -> None:
    store.rates.pause(PHONE, 30)
    store.rates.pause(PHONE, 1)
    assert store.rates.closed_ms(PHONE) == 30_000


def test_a_stopped_sender_is_closed_for_a_while(store: Installed) -> None:
    assert store.rates.closed_ms(PHONE) == 0
    store.rates.stop(PHONE, "credentials")
    assert 0 < store.rates.closed_ms(PHONE) <= STOP_TTL_MS


def test_what_is_kept_of_a_sender_does_not_name_it_and_does_not_stay(store: Installed) -> None:
    store.rates.pause(PHONE, 1)
    store.rates.take(PHONE, 1, 1.0)
    store.rates.stop(PHONE, "credentials")
    found = [*store.client.keys(keys.rate("*")), *store.client.keys(keys.stopped("*"))]
    assert len(found) == 2
    for key in found:
        assert PHONE.encode() not in key
        assert store.client.pttl(key) > 0
