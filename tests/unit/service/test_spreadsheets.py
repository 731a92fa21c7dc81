"""Cells that no spreadsheet runs, and that read as they were."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.spreadsheets import escaped, lines, unescaped

cells = st.text(max_size=30) | st.from_regex(r"'?\s?[-=+@'].{0,3}")


@given(cells)
def test_a_cell_that_was_kept_from_being_run_reads_as_it_was(cell: str) -> None:
    assert unescaped(escaped(cell)) == cell
    assert not escaped(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize(
    "cell", ["=1+1", " =1+1", "\t@x", "\n=1", "\uff1d1+1", "\u00a0=1", "-2+3", "+1"]
)
def test_whatever_a_spreadsheet_may_run_is_marked(cell: str) -> None:
    assert escaped(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "(503) 555-0100", "Día", "…", "3.5", "a=b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert escaped(cell) == cell


def test_rows_are_lines_with_nothing_for_none() -> None:
    assert lines([["day", "share"], [1, None], ["=x", 0.5]]) == "day,share\r\n1,\r\n'=x,0.5\r\n"


@given(
    st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9), min_size=2)
)
def test_rows_read_as_they_were(row: list[str]) -> None:
    (found,) = csv.reader(io.StringIO(lines([row]), newline=""), strict=True)
    assert [unescaped(cell) for cell in found] == row
