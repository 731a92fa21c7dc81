"""Rows as CSV that spreadsheets open, of which no cell is run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

Cell = object
"""Written as `str` has it; nothing for None."""
_MARK: Final = "'"
_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - full width runs, too
"""A cell that begins so is run by some spreadsheet (OWASP, CSV injection)."""


def escaped(cell: str) -> str:
    """A cell that no spreadsheet runs, and that `unescaped` reads as it was."""
    return _MARK + cell if _is_marked(cell) or _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    """A cell without the mark by which it was kept from being run."""
    return cell[1:] if _is_marked(cell) else cell


def lines(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as lines of CSV (RFC 4180), each cell escaped."""
    text = io.StringIO()
    csv.writer(text).writerows(
        [escaped("" if cell is None else str(cell)) for cell in row] for row in rows
    )
    return text.getvalue()


def _is_marked(cell: str) -> bool:
    """Whether it looks as if it was escaped; what only looks so is escaped once more."""
    rest = cell[1:]
    return cell.startswith(_MARK) and bool(rest.startswith(_MARK) or _FORMULA.match(rest))
