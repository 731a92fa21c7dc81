"""The header of a file: which column is where, and what separates them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput

COLUMNS: Final = (
    *("given_name", "phone", "email", "language", "timezone", "bedtime", "visit_date"),
    *("series", "clinic", "consent", "state"),
)
"""What a column may hold; ``state`` need not be there."""
ADDED: Final = ("row", "reasons")
"""Columns that stand in a file of rejected rows, and mean nothing when it comes back."""
SEPARATORS: Final = (",", ";", "\t", "|")
_NEEDED: Final = ("given_name", "consent")
_TOLD: Final = ("series", "timezone")
_NO_LETTER: Final = re.compile(r"[\W_]+")
_NAMES: Final = {name.replace("_", ""): name for name in (*COLUMNS, *ADDED)}
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Header:
    """Where things are.

    Attributes:
        names: of the columns as they stand in the file.
        places: column -> its place in a row.
        unknown: names of columns that are not read.
        separator: between cells.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]
    unknown: tuple[str, ...]
    separator: str

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.names)


def column_of(name: str) -> str | None:
    """The column that a name stands for, in whatever case and spacing; None for none of ours."""
    return _NAMES.get(_NO_LETTER.sub("", name.casefold()))


def separator_of(line: str) -> str:
    """What separates the cells of a header: that by which most of its columns are known."""

    def known(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:  # a cell of more letters than any has
            return 0, 0
        return sum(column_of(cell) is not None for cell in cells), len(cells)

    return max(SEPARATORS, key=known)


def read_header(cells: Sequence[str], separator: str, terms: Terms) -> Header:
    """Read the cells of a file's first row.

    Args:
        cells: as they stand in the file.
        separator: between them.
        terms: may tell what a column would.

    Raises:
        InvalidInput: a column is missing or there twice; says which.
    """
    stripped = [cell.strip() for cell in cells]
    while stripped and not stripped[-1]:
        stripped.pop()
    names = tuple(stripped)
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        column = column_of(name)
        if column in places:
            raise InvalidInput(
                "file",
                "column_twice",
                f"The column {column} is there twice ({_told(names[places[column]])} and "
                f"{_told(name)}): leave one of them.",
            )
        if column is not None:
            places[column] = place
    _require(places, names, terms)
    unknown = tuple(_told(name) for name in names if name and column_of(name) is None)
    return Header(names, {c: p for c, p in places.items() if c in COLUMNS}, unknown, separator)


def _require(places: Mapping[str, int], names: Sequence[str], terms: Terms) -> None:
    missing = [name for name in _NEEDED if name not in places]
    missing += [n for n in _TOLD if n not in places and not getattr(terms, n).strip()]
    if "phone" not in places and "email" not in places:
        missing.insert(1, "phone or email")
    if not missing:
        return
    if len(places) <= 1:
        raise InvalidInput(
            "file",
            "header_missing",
            f"The first row is no header: it has to name the columns, {', '.join(COLUMNS[:10])}.",
        )
    also = [name for name in missing if name in _TOLD]
    told = f" Or tell it for the whole file: {', '.join(f'--{n}' for n in also)}." if also else ""
    raise InvalidInput(
        "file",
        "column_missing",
        f"There is no column {' and none '.join(missing)}. The header names "
        f"{', '.join(_told(name) for name in names)}.{told}",
    )


def _told(name: str) -> str:
    """A column's name as it may be shown."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "..."
