from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.preferences.links import Link, holds, link_to, seal, unseal
from service.store.keyring import InvalidToken, KeyRing
from service.store.keys import ALPHABET

RING = KeyRing.generate()
NOW = 1_772_470_800_000
MONTH = 30 * 86_400_000
ANA = "0j4zz670ccqp"
IDS = st.text(ALPHABET, min_size=12, max_size=12)
PEOPLE = st.lists(st.tuples(IDS, st.integers(0, 10**6)), min_size=1, max_size=6)


@given(PEOPLE, st.integers(0, 200 * 365 * 86_400_000), st.integers(0, MONTH - 1))
def test_a_link_says_what_it_was_made_of_until_it_expires(
    people: list[tuple[str, int]], now_ms: int, age_ms: int
) -> None:
    token = seal(RING, link_to(people, now_ms))
    made_ms = now_ms // 60_000 * 60_000
    link = unseal(RING, token, made_ms + age_ms, MONTH)
    assert link.made_ms == made_ms
    assert all(holds(link, identifier, ended) for identifier, ended in people)
    with pytest.raises(InvalidToken):
        unseal(RING, token, made_ms + MONTH + age_ms, MONTH)


@given(IDS, st.integers(0, 10**6), st.integers(1, 1000))
def test_a_link_that_was_ended_holds_no_more(identifier: str, ended: int, more: int) -> None:
    link = link_to([(identifier, ended)], NOW)
    assert holds(link, identifier, ended)
    assert not holds(link, identifier, ended + more)


def test_a_link_for_several_can_be_one_persons_and_expires_with_it() -> None:
    both = link_to([(ANA, 0), ("0j4zz670ccqx", 3)], NOW)
    assert both.alone(ANA) == Link(((ANA, 0),), NOW)
    assert both.alone("0j4zz670ccqy").people == ()


def test_a_link_of_another_ring_or_purpose_is_none() -> None:
    genuine, payload = seal(RING, link_to([(ANA, 0)], NOW)), b"x" * 18
    tokens = [(KeyRing.generate(), genuine), (RING, RING.seal_token("unsubscribe", payload))]
    for ring, token in tokens:
        with pytest.raises(InvalidToken):
            unseal(ring, token, NOW, MONTH)


def test_a_link_fits_a_text_and_names_nobody() -> None:
    token = seal(RING, link_to([(ANA, 7)], NOW))
    assert len(token) <= 80
    assert ANA not in token


def test_making_a_link_costs_less_than_twenty_microseconds() -> None:
    def cost() -> float:
        begun = time.perf_counter()
        for _ in range(200):
            seal(RING, link_to([(ANA, 7)], NOW))
        return (time.perf_counter() - begun) / 200

    assert min(cost() for _ in range(20)) < 20e-6
