"""Questions to many keys, put together by partition."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.scripts import Call
from service.store.together import MOST_KEYS, Asked, ask_together

PARTITIONS = st.lists(st.integers(0, 3), max_size=3 * MOST_KEYS)


def questions(partitions: list[int]) -> list[Asked]:
    """One of each partition; its key names it and its place, and so does its argument."""
    return [Asked(each, f"{each}/{at}", (at, "x")) for at, each in enumerate(partitions)]


@given(PARTITIONS)
def test_each_gets_its_own_answer_from_its_own_partition_and_no_call_is_large(
    partitions: list[int],
) -> None:
    asked: list[Call] = []

    def run(calls: Sequence[Call]) -> list[list[str]]:
        asked.extend(calls)
        return [[f"of {key}" for key in keys] for keys, _ in calls]

    found = ask_together(run, questions(partitions))
    assert found == [f"of {partition}/{at}" for at, partition in enumerate(partitions)]
    for keys, arguments in asked:
        assert len({key.partition("/")[0] for key in keys}) == 1
        assert len(keys) <= MOST_KEYS
        places = [int(key.partition("/")[2]) for key in keys]
        assert places == sorted(places)
        assert list(arguments) == [word for place in places for word in (place, "x")]


@given(PARTITIONS)
def test_there_are_no_more_calls_than_it_takes(partitions: list[int]) -> None:
    made = 0

    def run(calls: Sequence[Call]) -> list[list[None]]:
        nonlocal made
        made = len(calls)
        return [[None] * len(keys) for keys, _ in calls]

    ask_together(run, questions(partitions))
    counts = [partitions.count(each) for each in set(partitions)]
    assert made == sum(-(-count // MOST_KEYS) for count in counts)


def test_a_group_that_is_not_answered_whole_is_no_answer() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ask_together(lambda calls: [[1] for _ in calls], questions([0, 0]))
