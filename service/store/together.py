"""What is asked of many keys at once, put together by partition: one call of a script for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

MOST_KEYS: Final = 128
"""Keys of one call: well below a millisecond of the store, which does nothing else meanwhile."""
T = TypeVar("T")


def asked_together(
    partitions: Sequence[int], ask: Callable[[list[list[int]]], Sequence[Sequence[T]]]
) -> list[T]:
    """One answer for each, in the order in which they were given.

    Args:
        partitions: of each, its partition.
        ask: given groups of places, each of one partition, answers for each place of each group.

    Raises:
        ValueError: a group was not answered whole.
    """
    groups = list(_groups(partitions))
    found: list[Any] = [None] * len(partitions)
    for places, answers in zip(groups, ask(groups), strict=True):
        for place, answer in zip(places, answers, strict=True):
            found[place] = answer
    return found


def _groups(partitions: Sequence[int]) -> Iterator[list[int]]:
    """Places of one partition, in their order, at most ``MOST_KEYS`` at a time."""
    by_partition: dict[int, list[int]] = {}
    for place, partition in enumerate(partitions):
        by_partition.setdefault(partition, []).append(place)
    for places in by_partition.values():
        for start in range(0, len(places), MOST_KEYS):
            yield places[start : start + MOST_KEYS]
