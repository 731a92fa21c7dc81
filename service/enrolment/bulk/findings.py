"""What became of the rows of a file: counted, and for each that was not enrolled why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Self

from service.enrolment.bulk.judge import Problem


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be enrolled.

    Attributes:
        row: as the spreadsheet counts.
        problems: everything that is wrong with it.
        cells: as they stand in the file.
    """

    row: int
    problems: tuple[Problem, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row about somebody who is in that series already.

    Attributes:
        row: as the spreadsheet counts.
        of_row: the row of the same file that it repeats; 0 where the person was enrolled before.
    """

    row: int
    of_row: int


@dataclass(slots=True)
class Tally:
    """Counts of rows.

    Attributes:
        rows: all, without empty ones; the sum of accepted, duplicates and rejected.
        accepted: enrolled, or to be enrolled.
        duplicates: of somebody who is in that series already, or in an earlier row.
        rejected: with something wrong.
        repeated: duplicates of a row of the same file.
        shared: accepted whose phone or mailbox somebody of another name in that series has, as far
            as whoever imports sees them.
        silent: enrolled of whom an address has opted out before, and stays so.
    """

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    repeated: int = 0
    shared: int = 0
    silent: int = 0

    def add(self, other: Tally) -> None:
        """Count what another has counted as well."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def counts(self) -> dict[str, int]:
        """As kept with an import."""
        return asdict(self)

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Read what `counts` gave."""
        return cls(**counts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some rows that follow each other.

    Attributes:
        last_row: of them.
    """

    last_row: int
    tally: Tally
    rejected: Sequence[Rejected] = ()
    duplicates: Sequence[Duplicate] = ()

    def pack(self) -> bytes:
        """Those that were not enrolled, as kept with an import; empty for none."""
        if not self.rejected and not self.duplicates:
            return b""
        rejected = [
            [each.row, [[p.column, p.code, p.message] for p in each.problems], each.cells]
            for each in self.rejected
        ]
        duplicates = [[each.row, each.of_row] for each in self.duplicates]
        return json.dumps([rejected, duplicates], ensure_ascii=False).encode()


def unpack(packed: bytes) -> tuple[list[Rejected], list[Duplicate]]:
    """Read what `Outcome.pack` wrote."""
    rejected, duplicates = json.loads(packed)
    return (
        [Rejected(row, _problems(problems), tuple(cells)) for row, problems, cells in rejected],
        [Duplicate(*each) for each in duplicates],
    )


def _problems(rows: Iterable[Sequence[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(*row) for row in rows)
