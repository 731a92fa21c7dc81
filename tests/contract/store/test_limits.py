"""Limits on what may be done to an address, or by a source."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from service.store.limits import Limits
from tests.contract.store.installation import Installed, SetClock

ANA, BEN = "digest-of-ana", "digest-of-ben"


def limits(store: Installed) -> Limits:
    return Limits(store.scripts, store.machine)


def test_so_many_are_allowed_and_the_next_when_the_first_is_long_ago(store: Installed) -> None:
    asked = limits(store)
    assert [asked.allow("page-link", ANA, 3, 60) for _ in range(4)] == [True, True, True, False]
    store.machine.ms += 59_999
    assert not asked.allow("page-link", ANA, 3, 60)
    store.machine.ms += 1
    assert [asked.allow("page-link", ANA, 3, 60) for _ in range(4)] == [True, True, True, False]


def test_each_name_and_each_address_counts_for_itself(store: Installed) -> None:
    asked = limits(store)
    assert asked.allow("page-link", ANA, 1, 60)
    assert asked.allow("page-link", BEN, 1, 60)
    assert asked.allow("join", ANA, 1, 60)
    assert not asked.allow("page-link", ANA, 1, 60)


def test_asking_on_and_on_does_not_keep_it_closed(store: Installed) -> None:
    asked = limits(store)
    asked.allow("page-link", ANA, 1, 60)
    for _ in range(59):
        store.machine.ms += 1_000
        assert not asked.allow("page-link", ANA, 1, 60)
    store.machine.ms += 1_000
    assert asked.allow("page-link", ANA, 1, 60)


def test_asking_whether_it_would_be_allowed_counts_nothing(store: Installed) -> None:
    asked = limits(store)
    assert [asked.would_allow("join", ANA, 1, 60) for _ in range(3)] == [True, True, True]
    assert asked.allow("join", ANA, 1, 60)
    assert not asked.would_allow("join", ANA, 1, 60)
    store.machine.ms += 60_000
    assert asked.would_allow("join", ANA, 1, 60)


def test_fifty_at_once_are_counted_one_by_one(store: Installed) -> None:
    asked = limits(store)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: asked.allow("join", ANA, 5, 60), range(50)))
    assert answers.count(True) == 5


def test_a_clock_that_was_set_back_closes_nothing_for_long(store: Installed) -> None:
    asked = limits(store)
    assert asked.allow("join", ANA, 1, 60)
    store.machine.ms -= 3_600_000
    assert asked.allow("join", ANA, 1, 60)


def test_what_was_counted_expires_by_itself(store: Installed) -> None:
    limits(store).allow("join", ANA, 5, 60)
    (key,) = store.keys("av:limit:*")
    assert 0 < int(store.client.pttl(key)) <= 60_000


def test_a_limit_of_none_allows_nothing(store: Installed) -> None:
    assert not limits(store).allow("join", ANA, 0, 60)


def test_no_stretch_of_time_ever_has_more_than_is_allowed(store: Installed) -> None:
    clock, numbers = SetClock(), iter(range(1_000_000))
    asked = Limits(store.scripts, clock)

    @given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 5))
    def holds(pauses: list[int], most: int) -> None:
        who, allowed = f"digest-{next(numbers)}", []
        for pause in pauses:
            clock.ms += pause * 1000
            if asked.allow("join", who, most, 60):
                allowed.append(clock.ms)
        for first, later in zip(allowed, allowed[most:], strict=False):
            assert later - first >= 60_000

    holds()
