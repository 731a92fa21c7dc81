"""The rows of a file, read one after the other, numbered as the spreadsheet numbers them.

A row is a record: a line break within quotation marks begins no new one, and an empty line is a
row that is not shown to be one. The header is row 1 unless empty lines stand before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self, TextIO

from service.enrolment.bulk.header import Header, read_header, separator_of
from service.enrolment.bulk.letters import is_plausible
from service.enrolment.bulk.scan import Open, Scanned, scan, unreadable
from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput

_MOST_LINES: Final = 250
"""A cell with more line breaks than a spreadsheet allows is a quotation that was not closed."""
LONGEST_ROW: Final = 1 << 20
"""Letters: no row of people is longer, and one of commas only would fill the memory with cells."""
_SEPARATOR_LINE: Final = "sep="


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    Attributes:
        number: as the spreadsheet counts.
        cells: as they stand in the file, at least as many as the header has.
        told: how many of them the row really has.
    """

    number: int
    cells: list[str]
    told: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A file that can be imported, as such.

    Attributes:
        scanned: its digest, size and encoding.
        header: its columns.
        rows: how many there are, without empty ones.
    """

    scanned: Scanned
    header: Header
    rows: int

    def pack(self) -> str:
        """How the file is read, as kept with an import."""
        told = {"encoding": self.scanned.encoding, "size": self.scanned.size}
        return json.dumps({**told, "separator": self.header.separator, "names": self.header.names})

    @classmethod
    def unpack(cls, shape: str, digest: str, rows: int, terms: Terms) -> Survey:
        """What `pack` wrote, of a file of that digest with so many rows."""
        read = json.loads(shape)
        header = read_header(read["names"], read["separator"], terms)
        return cls(Scanned(digest, read["size"], read["encoding"]), header, rows)


def survey(opened: Open, terms: Terms, most: int) -> Survey:
    """Read a whole file and see that it is a table with the columns that are needed.

    Whatever is wrong with the file as such is found here, before the first row of it is enrolled.

    Args:
        opened: the file.
        terms: told for the whole of it.
        most: rows that are allowed.

    Raises:
        InvalidInput: what is wrong, and what to do.
    """
    scanned = scan(opened, terms.encoding)
    table = Table(opened, scanned.encoding, terms)
    rows = 0
    try:
        with table:
            for record in table:
                rows += 1
                if rows > most:
                    raise InvalidInput(
                        "file",
                        "too_many_rows",
                        f"The file has more than {most:,} rows: split it and import the parts one "
                        f"after the other, or have AFTERVISIT_IMPORT_ROWS raised.",
                    )
                if not scanned.sure:
                    _require_plausible(record, table.header)
    except UnicodeError:
        raise unreadable(scanned.encoding) from None
    return Survey(scanned, table.header, rows)


def _require_plausible(record: Record, header: Header) -> None:
    if not is_plausible(record.cells[header.places["given_name"]]):
        raise unreadable(f"UTF-8 or Windows-1252: see row {record.number}, the given name")


@dataclass
class Table:
    """A file opened as a table; iterating gives its rows, without the header and empty ones.

    Attributes:
        header: its columns; known once it is entered.
    """

    opened: Open
    encoding: str
    terms: Terms
    header: Header = field(init=False)

    def __enter__(self) -> Self:
        self._text = io.TextIOWrapper(self.opened(), encoding=self.encoding, newline="")
        try:
            self._lines = _Lines(self._text)
            separator = self._separator()
            self._reader = csv.reader(self._lines, delimiter=separator)
            self._number = 0
            self.header = read_header(self._first(), separator, self.terms)
        except BaseException:
            self._text.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def __iter__(self) -> Iterator[Record]:
        width = self.header.width
        while (cells := self._next()) is not None:
            told = len(cells)
            if any(cells) and any(cell.strip() for cell in cells):
                if told < width:
                    cells += [""] * (width - told)
                if len(self._lines.taken) > 1:
                    self._require_closed(cells, told)
                yield Record(self._number, cells, told)

    def _first(self) -> list[str]:
        while (cells := self._next()) is not None:
            if any(cell.strip() for cell in cells):
                return cells
        raise InvalidInput("file", "file_empty", "The file has no rows.")

    def _next(self) -> list[str] | None:
        self._number += 1
        self._lines.taken.clear()
        try:
            cells = next(self._reader, None)
        except csv.Error:  # a cell of more letters than any has
            raise self._unclosed() from None
        if len(self._lines.taken) > _MOST_LINES:
            raise self._unclosed()
        return cells

    def _separator(self) -> str:
        """What separates cells: told by the file itself as Excel does, or seen in its header."""
        for line in self._lines:
            if line.strip():
                told = line.strip().strip('"')
                if told.casefold().startswith(_SEPARATOR_LINE) and len(told) == len("sep=,"):
                    self._lines.taken.clear()
                    return told[-1]
                separator = separator_of(line)
                self._lines.back()
                return separator
        raise InvalidInput("file", "file_empty", "The file has no rows.")

    def _require_closed(self, cells: list[str], told: int) -> None:
        """Refuse a row that has swallowed others: they would be left out in silence.

        Raises:
            InvalidInput: it has a line that looks like a row of its own, where none should be.
        """
        width, mark = self.header.width, self.header.separator
        read = [cells[place] for place in self.header.places.values()] if told == width else None
        suspects = self._lines.taken[1:] if read is None else [c for c in read if "\n" in c]
        if any(text.count(mark) >= max(width - 1, 1) for text in suspects):
            raise self._unclosed()

    def _unclosed(self) -> InvalidInput:
        return InvalidInput(
            "file",
            "quotation_open",
            f'Row {self._number} has a quotation mark (") that is not closed, so that the rows '
            f"behind it cannot be told apart: take it away, or close it.",
        )


class _Lines:
    """The lines of a text; remembers those that were taken since it was cleared.

    Iterating raises InvalidInput where these are too long for one row.

    Attributes:
        taken: lines.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: list[str] = []
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.pop(0) if self._again else self._text.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        if len(line) + sum(map(len, self.taken)) > LONGEST_ROW:
            raise InvalidInput(
                "file",
                "row_long",
                f"The file has a row that is longer than {LONGEST_ROW:,} letters: is it a table?",
            )
        self.taken.append(line)
        return line

    def back(self) -> None:
        """Give what was taken once more."""
        self._again, self.taken = self.taken, []
