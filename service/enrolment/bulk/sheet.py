"""The rejected rows as a file that a spreadsheet opens, and that can be imported when put right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from service.enrolment.bulk.findings import Rejected
from service.enrolment.bulk.header import ADDED, column_of
from service.spreadsheets import lines

_MARK: Final = "\ufeff"
"""By which spreadsheets know that it is UTF-8."""


def sheet(names: Sequence[str], rejected: Iterable[Rejected]) -> Iterator[str]:
    """The file, piece by piece: every column as it was, then the row and the reasons.

    No cell is run as a formula; ``spreadsheets.unescaped`` reads each as it was.

    Args:
        names: of the columns of the imported file.
        rejected: its rows.
    """
    kept = [place for place, name in enumerate(names) if column_of(name) not in ADDED]
    yield _MARK + lines([[*(names[place] for place in kept), *ADDED]])
    for each in rejected:
        cells = [each.cells[place] if place < len(each.cells) else "" for place in kept]
        reasons = " ".join(_reason(p.column, p.message) for p in each.problems)
        yield lines([[*cells, each.row, reasons]])


def _reason(column: str, message: str) -> str:
    return f"{column}: {message}" if column else message
