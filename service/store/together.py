"""What is asked of many keys at once, put together by partition: one call of a script for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.store.scripts import Argument, Call

MOST_KEYS: Final = 128
"""Keys of one call: well below a millisecond of the store, which does nothing else meanwhile."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one key.

    Attributes:
        partition: the key's.
        arguments: of the script, for this key.
    """

    partition: int
    key: str
    arguments: tuple[Argument, ...] = ()


def ask_together(
    run: Callable[[Sequence[Call]], Sequence[Sequence[Any]]], asked: Sequence[Asked]
) -> list[Any]:
    """One answer for each, in the order in which they were given.

    Args:
        run: runs calls of a script that takes many keys, and answers for each of them in turn.
        asked: of which keys.

    Raises:
        ValueError: a call was not answered whole.
    """
    groups = list(_groups(asked))
    calls = [([asked[at].key for at in places], _arguments(asked, places)) for places in groups]
    found: list[Any] = [None] * len(asked)
    for places, answers in zip(groups, run(calls), strict=True):
        for place, answer in zip(places, answers, strict=True):
            found[place] = answer
    return found


def _arguments(asked: Sequence[Asked], places: Sequence[int]) -> list[Argument]:
    return [argument for at in places for argument in asked[at].arguments]


def _groups(asked: Sequence[Asked]) -> Iterator[list[int]]:
    """Places of one partition, in their order, at most ``MOST_KEYS`` at a time."""
    by_partition: dict[int, list[int]] = {}
    for place, one in enumerate(asked):
        by_partition.setdefault(one.partition, []).append(place)
    for places in by_partition.values():
        for start in range(0, len(places), MOST_KEYS):
            yield places[start : start + MOST_KEYS]
