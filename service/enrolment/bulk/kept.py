"""Files of imports and what was not enrolled of them, as the store keeps them for some days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.enrolment.bulk.course import File
from service.enrolment.bulk.findings import Duplicate, Rejected, unpack
from service.enrolment.bulk.parts import PART, opens_parts
from service.enrolment.bulk.scan import Open
from service.enrolment.bulk.table import Survey
from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput
from service.store.import_records import Import, ImportState
from service.store.imports import UNCONFIRMED_MS, ImportStore, part_names

MOST_KEPT: Final = 512 << 20
"""Bytes of files that wait in the store at once: it holds opt-outs, which must always find room."""
FILE: Final = "f"
CHECKED: Final = "c"
REJECTED: Final = "x"
"""Letters that the names of parts begin with: of a file, of what its check and its run refused."""


class Kept:
    """Puts files into the store, part by part, and reads them there."""

    def __init__(self, store: ImportStore, most_kept: int) -> None:
        self._store = store
        self._most_kept = most_kept

    def take_in(self, identifier: str, opened: Open, size: int) -> int:
        """Keep a file for as long as one waits to be confirmed; how many parts it has.

        Args:
            identifier: of the import.
            opened: the file.
            size: its bytes.

        Raises:
            InvalidInput: too much waits in the store.
            StoreUnavailable: it was not kept.
        """
        self._require_room(size)
        parts = 0
        with opened() as file:
            while block := file.read(PART):
                self._store.keep_part(identifier, f"{FILE}{parts}", block, UNCONFIRMED_MS)
                parts += 1
        return parts

    def _require_room(self, size: int) -> None:
        waiting = (one for one in self._store.latest() if one.parts and not one.over)
        kept = sum(self.survey_of(one).scanned.size for one in waiting)
        if kept + size > self._most_kept:
            raise InvalidInput(
                "file",
                "imports_full",
                "Too many files wait to be imported. Confirm them, or try again when they are "
                "done: what nobody confirms is gone after a day.",
            )

    def file(self, one: Import) -> File:
        """The file of an import; its parts are read as it is."""
        terms = Terms.unpack(one.terms)
        return File(self._opened(one), self.survey_of(one), terms, bool(one.earlier))

    def survey_of(self, one: Import) -> Survey:
        """How the file of an import is read."""
        return Survey.unpack(one.shape, one.digest, one.rows, Terms.unpack(one.terms))

    def _opened(self, one: Import) -> Open:
        def blocks() -> Iterator[bytes]:
            return (self._store.part(one.id, name) for name in part_names(FILE, one.parts))

        return opens_parts(blocks)

    def keep_file(self, one: Import, kept_ms: int) -> None:
        """Keep the file of an import for so long from now; no longer, where that is nothing."""
        self._store.prolong(one.id, list(part_names(FILE, one.parts)), kept_ms)

    def forget_what_was_checked(self, one: Import) -> None:
        """Keep neither the file any longer nor what its check found."""
        parts = [*part_names(FILE, one.parts), *part_names(CHECKED, one.checked_parts)]
        self._store.prolong(one.id, parts, 0)

    def not_enrolled(self, one: Import) -> Iterator[tuple[list[Rejected], list[Duplicate]]]:
        """The rows that were not enrolled, or would not be, in order and some at a time.

        Raises:
            NotFound: they are not kept any more.
        """
        checked = one.state in {ImportState.RECEIVED, ImportState.CHECKED, ImportState.CONFIRMED}
        letter, count = (CHECKED, one.checked_parts) if checked else (REJECTED, one.rejected_parts)
        return (unpack(self._store.part(one.id, name)) for name in part_names(letter, count))
