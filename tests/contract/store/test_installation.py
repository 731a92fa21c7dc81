"""The installation's record, agreed upon by however many open it first; and business time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from service.clock import SystemClock, to_ms
from service.errors import ConfigurationError
from service.settings import ClockSetting
from service.store import keys
from service.store.connection import connect
from service.store.installation import StoredClock, open_clock, open_installation
from service.store.keyring import KeyMissing, KeyRing
from tests.contract.store.installation import Installed
from tests.support.sets import Store

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
FAST = ClockSetting(factor=1000, start=START)


def test_ten_first_starts_at_once_agree_on_one_record(server: Store) -> None:
    server.flush()
    ring = KeyRing.generate()
    barrier = threading.Barrier(10)

    def opened(number: int) -> tuple[int, str]:
        with connect(server.url) as client:
            barrier.wait()
            installation = open_installation(client, ring, 4 + number)
            return installation.partitions, installation.index.digest("phone", "+15035550100")

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(opened, range(10)))) == 1


def test_partitions_are_fixed_for_ever_at_the_first_start(store: Installed) -> None:
    ring = KeyRing.generate()
    store.wipe()
    assert open_installation(store.client, ring, 8).partitions == 8
    assert open_installation(store.client, ring, 64).partitions == 8


def test_another_installations_keys_are_refused(store: Installed) -> None:
    with pytest.raises(KeyMissing, match="not in the key ring"):
        open_installation(store.client, KeyRing.generate(), 4)


def test_a_rotated_ring_leaves_every_digest_as_it_is(store: Installed) -> None:
    store.wipe()
    ring = KeyRing.generate()
    before = open_installation(store.client, ring, 4).index.digest("phone", "+1")
    rotated = open_installation(store.client, ring.with_new_key(), 4)
    assert rotated.index.digest("phone", "+1") == before


def test_a_store_of_a_newer_release_is_refused(store: Installed) -> None:
    store.client.hset(keys.INSTALLATION, "schema", 99)
    with pytest.raises(ConfigurationError, match="schema 99"):
        open_installation(store.client, KeyRing.generate(), 4)


def test_a_real_clock_is_the_machines(store: Installed) -> None:
    assert isinstance(open_clock(store.client, ClockSetting()), SystemClock)


def test_a_fast_clock_starts_where_it_is_told_and_goes_on_from_there(store: Installed) -> None:
    clock = open_clock(store.client, FAST)
    assert clock.now_ms() == to_ms(START)
    assert isinstance(clock, StoredClock)
    clock.set_ms(to_ms(START) + 5)
    assert open_clock(store.client, FAST).now_ms() == to_ms(START) + 5


def test_a_fast_clock_never_goes_back(store: Installed) -> None:
    clock = open_clock(store.client, FAST)
    assert isinstance(clock, StoredClock)
    clock.set_ms(to_ms(START) + 5_000)
    clock.set_ms(to_ms(START) + 10)
    assert clock.now_ms() == to_ms(START) + 5_000


def test_a_fast_clock_that_is_held_stays_where_it_is(store: Installed) -> None:
    clock = open_clock(store.client, FAST)
    assert isinstance(clock, StoredClock)
    assert clock.set_ms(to_ms(START) + 5)
    clock.hold()
    assert not clock.set_ms(to_ms(START) + 5_000)
    assert open_clock(store.client, FAST).now_ms() == to_ms(START) + 5


@pytest.mark.parametrize(
    ("first", "second", "told"), [(FAST, ClockSetting(), "fast"), (ClockSetting(), FAST, "real")]
)
def test_a_store_keeps_the_kind_of_clock_it_was_begun_with(
    store: Installed, first: ClockSetting, second: ClockSetting, told: str
) -> None:
    open_clock(store.client, first)
    with pytest.raises(ConfigurationError, match=f"runs on a {told} clock"):
        open_clock(store.client, second)
