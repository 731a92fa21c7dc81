"""An import as it is read from the store: how it stands, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ImportState(StrEnum):
    """How an import stands; the value is what is stored."""

    RECEIVED = "u"
    CHECKED = "k"
    CONFIRMED = "c"
    RUNNING = "r"
    DONE = "d"
    FAILED = "f"

    @property
    def word(self) -> str:
        """In letters: ``running``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Import:
    """One file.

    Attributes:
        at_ms: when it came, business ms UTC.
        by: who brought it.
        name: of the file; patient data, as names of files go.
        digest: SHA-256 of the file, hexadecimal.
        terms: packed, as the use case has them.
        shape: how its file is read, packed.
        earlier: id of an import of the very same file before, empty for none.
        rows: how many it has; 0 before it was checked.
        parts: of the file in the store; 0 where whoever imports it has the file.
        rejected_parts: of what was rejected.
        checked_parts: of what its check would reject.
        done_to: the row up to which it has been carried out.
        tally: counts by name.
    """

    id: str
    state: ImportState
    at_ms: int
    by: str
    name: str
    digest: str
    terms: str
    shape: str
    earlier: str
    rows: int
    parts: int
    rejected_parts: int
    checked_parts: int
    done_to: int
    tally: Mapping[str, int]

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in {ImportState.DONE, ImportState.FAILED}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is, or its check.

    Attributes:
        done_to: the row up to which it was carried out.
        tally: counts by name.
        parts: of what was rejected, or would be.
    """

    done_to: int
    tally: Mapping[str, int]
    parts: int
