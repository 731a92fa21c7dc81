"""Questions to many keys, put together by partition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.together import MOST_KEYS, asked_together

PARTITIONS = st.lists(st.integers(0, 3), max_size=3 * MOST_KEYS)


@given(PARTITIONS)
def test_each_gets_its_own_answer_from_its_own_partition_and_no_call_is_large(
    partitions: list[int],
) -> None:
    asked: list[list[int]] = []

    def ask(groups: list[list[int]]) -> list[list[int]]:
        asked.extend(groups)
        return [[10 * place + partitions[place] for place in places] for places in groups]

    found = asked_together(partitions, ask)
    assert found == [10 * place + partition for place, partition in enumerate(partitions)]
    for places in asked:
        assert len({partitions[place] for place in places}) == 1
        assert len(places) <= MOST_KEYS
        assert places == sorted(places)


@given(PARTITIONS)
def test_there_are_no_more_calls_than_it_takes(partitions: list[int]) -> None:
    calls = 0

    def ask(groups: list[list[int]]) -> list[list[None]]:
        nonlocal calls
        calls = len(groups)
        return [[None] * len(places) for places in groups]

    asked_together(partitions, ask)
    counts = [partitions.count(each) for each in set(partitions)]
    assert calls == sum(-(-count // MOST_KEYS) for count in counts)


def test_a_group_that_is_not_answered_whole_is_no_answer() -> None:
    with pytest.raises(ValueError, match="shorter"):
        asked_together([0, 0], lambda groups: [[1] for _ in groups])
