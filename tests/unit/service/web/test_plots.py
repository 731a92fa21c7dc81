"""Where the marks of a plot are: in proportion, and on the sheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reporting.insight.spread import spread
from service.web.console.plots import (
    BOTTOM,
    LEFT,
    RIGHT,
    ROW,
    TOP,
    WIDTH,
    Layer,
    Parts,
    Row,
    boxes,
    columns,
    count,
    rows,
    share,
)

FIGURES = st.lists(st.integers(0, 100_000), min_size=1, max_size=60)


@given(FIGURES, FIGURES, FIGURES)
def test_all_marks_are_on_the_sheet_and_in_proportion(
    sent: list[int], failed: list[int], left: list[int]
) -> None:
    size = min(len(sent), len(failed), len(left))
    plot = columns(
        [str(number) for number in range(size)],
        [
            Layer("sent", "Sent", sent[:size]),
            Layer("failed", "Failed", failed[:size]),
            Layer("left", "Left", left[:size], below=True),
        ],
    )
    assert TOP <= plot.zero <= BOTTOM + 1e-6
    units = set()
    for number, column in enumerate(plot.columns):
        values = {"sent": sent[number], "failed": failed[number], "left": left[number]}
        assert {mark.key for mark in column.marks} == {key for key, by in values.items() if by}
        for mark in column.marks:
            assert mark.x >= LEFT
            assert mark.x + mark.width <= RIGHT
            assert mark.y >= TOP - 1e-6
            assert mark.y + mark.height <= BOTTOM + 1e-6
            units.add(round(mark.height / values[mark.key], 9))
            above = mark.y + mark.height <= plot.zero + 1e-6
            assert above == (mark.key != "left")
    assert not units or max(units) == pytest.approx(min(units), rel=1e-3)


def test_marks_of_a_column_stand_on_each_other() -> None:
    layers = [Layer("a", "A", [3]), Layer("b", "B", [2])]
    plot = columns(["Monday"], layers)
    first, second = plot.columns[0].marks
    assert first.y + first.height == pytest.approx(plot.zero)
    assert second.y + second.height == pytest.approx(first.y)
    assert plot.columns[0].said == "Monday: A 3, B 2"
    assert plot.totals == (("a", "A", 3), ("b", "B", 2))


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (0, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (9, ["0", "5", "10"]),
        (1234, ["0", "500", "1,000", "1,500"]),
    ],
)
def test_ticks_are_round_numbers(most: int, said: list[str]) -> None:
    assert [tick.said for tick in columns(["x"], [Layer("a", "A", [most])]).up] == said


def test_no_more_labels_than_are_legible() -> None:
    labels = [f"Oct {number}" for number in range(1, 32)]
    across = columns(labels, [Layer("a", "A", [1] * 31)]).across
    assert 4 <= len(across) <= 6
    assert across[0].said == "Oct 1"


def test_nothing_is_an_empty_plot() -> None:
    assert columns([], []).columns == ()
    assert rows([]).rows == ()
    assert boxes([], 10).boxes == ()
    assert Parts("None", (("a", "A", 0),)).marks == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_the_longest_row_takes_the_whole_width(values: list[float]) -> None:
    plot = rows([Row(str(value), value, "") for value in values])
    assert plot.height == len(values) * ROW
    longest = max(one.width for one in plot.rows)
    assert longest == pytest.approx(WIDTH if any(values) else 0)


def test_a_box_is_the_middle_half_on_the_scale() -> None:
    found = spread({2: 1, 4: 2, 6: 1, 10: 1})
    (box,) = boxes([("0", "", None), ("1", "Week 1", found)], 10).boxes
    unit = (BOTTOM - TOP) / 10
    assert box.box.height == pytest.approx(2 * unit)
    assert box.median == pytest.approx(BOTTOM - 4 * unit)
    assert box.mean == pytest.approx(BOTTOM - 5.2 * unit)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=7))
def test_parts_fill_the_whole(values: list[int]) -> None:
    whole = Parts("All", tuple((str(n), str(n), value) for n, value in enumerate(values)))
    assert whole.total == sum(values)
    assert sum(mark.width for mark in whole.marks) == pytest.approx(WIDTH if any(values) else 0)


def test_numbers_are_told_for_people() -> None:
    assert (count(12_345.6), share(0.0123)) == ("12,346", "1.2%")
