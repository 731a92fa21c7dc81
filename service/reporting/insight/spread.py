"""How whole numbers spread, from how often each was given: no list of them is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """What a box of a box plot shows.

    Attributes:
        count: how many numbers.
        mean: their sum by their count.
        low: a quarter of them are this or less (the first quartile); `median` a half; `high` three
            quarters.
    """

    count: int
    mean: float
    low: float
    median: float
    high: float


def spread(counts: Mapping[int, int]) -> Spread | None:
    """The spread of numbers, by how often each was given; None where none was.

    Quartiles lie between two numbers where they fall between them: the same as
    ``statistics.quantiles(numbers, method="inclusive")`` (Hyndman and Fan, 1996, definition 7).
    """
    given = sorted((number, count) for number, count in counts.items() if count > 0)
    total = sum(count for _, count in given)
    if not total:
        return None
    mean = sum(number * count for number, count in given) / total
    low, median, high = (_between(given, (total - 1) * part) for part in (0.25, 0.5, 0.75))
    return Spread(total, mean, low, median, high)


def _between(given: list[tuple[int, int]], place: float) -> float:
    """The number at a place, counted from 0, of all numbers in their order."""
    before = int(place)
    lower, upper = _at(given, before), _at(given, before + 1)
    return lower + (upper - lower) * (place - before)


def _at(given: list[tuple[int, int]], place: int) -> int:
    seen = 0
    for number, count in given:
        seen += count
        if place < seen:
            return number
    return given[-1][0]
