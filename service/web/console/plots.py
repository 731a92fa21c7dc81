"""Plots as places on a small sheet, for the macros of ``plots.html.jinja`` to draw as SVG.

One unit is about a pixel on a phone; the drawing grows with the page. There is nothing of colours
here: a mark has a key, which has a fill and a pattern of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from service.reporting.insight.spread import Spread

WIDTH: Final = 360.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 352.0, 10.0, 166.0
"""Where the axes are."""
ROW: Final = 34.0
"""Height of a row with its label."""
_TICKS: Final = 4
_LABELS: Final = 6
_GAP: Final = 0.2
"""Part of a column's room that stays free."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One of several figures that are stacked.

    Attributes:
        key: what it is drawn as.
        name: in words.
        values: one for each column.
        below: whether it hangs from the axis.
    """

    key: str
    name: str
    values: Sequence[float]
    below: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle."""

    key: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at a place of an axis."""

    place: float
    said: str


@dataclass(frozen=True, slots=True)
class Column:
    """The marks that stand on one place, and what they say in words."""

    said: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked columns.

    Attributes:
        zero: height of the axis.
        across: words below it; ``up`` those beside it.
        totals: (key, name, sum) of each layer.
    """

    columns: tuple[Column, ...]
    zero: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    totals: tuple[tuple[str, str, float], ...]


def columns(labels: Sequence[str], layers: Sequence[Layer]) -> Columns:
    """Stack layers on each of some places; a label each."""
    above = [layer for layer in layers if not layer.below]
    below = [layer for layer in layers if layer.below]
    top, depth = _most(above), _most(below)
    step = _step(max(top, depth, 1), fewer=bool(below))
    high, low = _rounded(max(top, 1), step), _rounded(depth, step)
    unit = (BOTTOM - TOP) / (high + low)
    zero = TOP + high * unit
    room = (RIGHT - LEFT) / max(len(labels), 1)
    found = []
    for place, label in enumerate(labels):
        x = LEFT + room * (place + _GAP / 2)
        marks = (
            *_stacked(above, place, x, room * (1 - _GAP), zero, -unit),
            *_stacked(below, place, x, room * (1 - _GAP), zero, unit),
        )
        told = (f"{layer.name} {count(layer.values[place])}" for layer in layers)
        found.append(Column(f"{label}: {', '.join(told)}", marks))
    steps = [step * number for number in range(int(low / step) * -1, int(high / step) + 1)]
    return Columns(
        tuple(found),
        zero,
        _across(labels, room),
        tuple(Tick(zero - value * unit, count(abs(value))) for value in steps),
        tuple((layer.key, layer.name, sum(layer.values)) for layer in layers),
    )


def _most(layers: Sequence[Layer]) -> float:
    return max((sum(each) for each in zip(*(x.values for x in layers), strict=True)), default=0)


def _stacked(
    layers: Sequence[Layer], place: int, x: float, width: float, zero: float, unit: float
) -> list[Mark]:
    """Marks from the axis outwards; ``unit`` is below zero where they grow upwards."""
    ends = accumulate((layer.values[place] * unit for layer in layers), initial=zero)
    return [
        Mark(layer.key, x, min(begins, ends), width, abs(ends - begins))
        for layer, (begins, ends) in zip(layers, pairwise(ends), strict=True)
        if layer.values[place]
    ]


def _step(most: float, *, fewer: bool = False) -> int:
    """The distance of ticks: 1, 2 or 5 and zeros."""
    ticks, power = (_TICKS - 1 if fewer else _TICKS), 1
    while True:
        for factor in (1, 2, 5):
            if most / (factor * power) <= ticks:
                return factor * power
        power *= 10


def _rounded(value: float, step: int) -> float:
    """The next tick that is not below a value."""
    return -(-value // step) * step


def _across(labels: Sequence[str], room: float) -> tuple[Tick, ...]:
    """So many labels as are legible, the first among them."""
    every = -(-len(labels) // _LABELS)
    return tuple(
        Tick(LEFT + room * (place + 0.5), label)
        for place, label in enumerate(labels)
        if place % max(every, 1) == 0
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A bar with a label over it.

    Attributes:
        value: its length is to be told from the others'.
        said: the value in words.
    """

    label: str
    value: float
    said: str


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row where it is drawn."""

    row: Row
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Bars below each other."""

    rows: tuple[PlacedRow, ...]
    height: float


def rows(given: Sequence[Row]) -> Rows:
    """Place bars, the longest over the whole width."""
    most = max((row.value for row in given), default=0) or 1
    placed = (
        PlacedRow(row, place * ROW, row.value / most * WIDTH) for place, row in enumerate(given)
    )
    return Rows(tuple(placed), len(given) * ROW)


@dataclass(frozen=True, slots=True)
class Box:
    """The middle half of some numbers, with their median and mean."""

    said: str
    box: Mark
    median: float
    mean: float


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes beside each other."""

    boxes: tuple[Box, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def boxes(given: Sequence[tuple[str, str, Spread | None]], highest: int) -> Boxes:
    """Place boxes on a scale from 0; a short label and what each says in words."""
    unit = (BOTTOM - TOP) / highest
    room = (RIGHT - LEFT) / max(len(given), 1)
    width = min(room * (1 - _GAP), 28.0)
    found = []
    for place, (_, said, spread) in enumerate(given):
        if spread is None:
            continue
        x = LEFT + room * (place + 0.5) - width / 2
        y = BOTTOM - spread.high * unit
        box = Mark("box", x, y, width, (spread.high - spread.low) * unit)
        found.append(Box(said, box, BOTTOM - spread.median * unit, BOTTOM - spread.mean * unit))
    up = (Tick(BOTTOM - value * unit, str(value)) for value in range(0, highest + 1, 2))
    return Boxes(tuple(found), _across([label for label, _, _ in given], room), tuple(up))


@dataclass(frozen=True, slots=True)
class Parts:
    """A whole that is cut into parts.

    Attributes:
        parts: (key, name, value) of each.
    """

    label: str
    parts: tuple[tuple[str, str, int], ...]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(value for _, _, value in self.parts)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The parts side by side, over the whole width."""
        unit = WIDTH / (self.total or 1)
        begins = accumulate((value * unit for _, _, value in self.parts), initial=0.0)
        return tuple(
            Mark(key, x, 0, value * unit, 18)
            for (key, _, value), x in zip(self.parts, begins, strict=False)
            if value
        )


def count(value: float) -> str:
    """A number for people: whole, in groups of three."""
    return f"{round(value):,}"


def share(value: float) -> str:
    """A part of one for people."""
    return f"{value:.1%}"
