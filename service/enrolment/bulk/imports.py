"""Imports from the file that came to the last patient enrolled: kept, checked, confirmed, run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from messages.catalog import Catalog
from service.clinics import Clinic
from service.enrolment.bulk.course import Course, Enrolling, File
from service.enrolment.bulk.findings import Duplicate, Outcome, Rejected, Tally
from service.enrolment.bulk.kept import CHECKED, MOST_KEPT, REJECTED, Kept
from service.enrolment.bulk.scan import Open
from service.enrolment.bulk.table import Survey, survey
from service.enrolment.bulk.terms import Terms
from service.enrolment.form import ValidForm
from service.errors import AftervisitError, InvalidInput, NotFound
from service.store.import_records import Import, ImportState, Progress
from service.store.imports import KEPT_MS, UNCONFIRMED_MS, ImportStore
from service.store.patients import Patients

QUEUED_MS: Final = 10_000
"""An import that a worker was told of and did not take is told of again after this."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a file is followed.

    Attributes:
        checks: nobody is enrolled.
        by_worker: another worker goes on with it where this one dies.
    """

    checks: bool = False
    by_worker: bool = True


class ImportHeld(AftervisitError):
    """Somebody else works on this import at this moment, or did a moment ago."""

    def __init__(self) -> None:
        super().__init__(
            "This import is under way already. See how it gets on, or try again in a minute."
        )


class Imports:
    """The use case behind the command and the console's pages."""

    def __init__(
        self,
        store: ImportStore,
        course: Course,
        patients: Patients,
        clinics: Mapping[str, Clinic],
        catalog: Catalog,
        most_rows: int,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._store = store
        self._kept = Kept(store, most_kept)
        self._course = course
        self._patients = patients
        self._clinics = clinics
        self._catalog = catalog
        self._most_rows = most_rows

    def survey(self, opened: Open, terms: Terms) -> Survey:
        """See that a file can be imported on these terms at all; nothing is stored.

        Raises:
            InvalidInput: what is wrong with the terms or with the file as such.
        """
        return look_over(opened, terms, self._clinics, self._catalog, self._most_rows)

    def earlier(self, digest: str) -> Import | None:
        """An import of the very same file that was begun before.

        Args:
            digest: SHA-256 of the file, hexadecimal.
        """
        return self._store.of_file(digest)

    def check(self, opened: Open, surveyed: Survey, terms: Terms) -> Iterator[Outcome]:
        """What would become of the rows of a file; changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        again = self.earlier(surveyed.scanned.digest) is not None
        return self._course.follow(File(opened, surveyed, terms, again))

    def here(self, surveyed: Survey, terms: Terms, name: str, by: str) -> Import:
        """An import of a file that whoever asks has at hand; one that was cut off goes on.

        Args:
            surveyed: the file.
            terms: told for the whole of it.
            name: of the file.
            by: who imports it.
        """
        before = self.earlier(surveyed.scanned.digest)
        cut_off = before is not None and not before.over and not before.parts
        if before is not None and cut_off and before.terms == terms.pack():
            return before
        return self._keep(self._store.new_id(), surveyed, terms, name, by, parts=0)

    def receive(self, opened: Open, terms: Terms, name: str, by: str) -> Import:
        """Keep a file, encrypted, until it is confirmed; for a day at most. A worker checks it.

        Args:
            opened: the file.
            terms: told for the whole of it.
            name: of the file.
            by: who brought it.

        Raises:
            InvalidInput: what is wrong with the terms or with the file as such.
            StoreUnavailable: it was not kept.
        """
        surveyed, identifier = self.survey(opened, terms), self._store.new_id()
        parts = self._kept.take_in(identifier, opened, surveyed.scanned.size)
        one = self._keep(identifier, surveyed, terms, name, by, parts)
        self._store.look_at(identifier)
        return one

    def _keep(
        self, identifier: str, surveyed: Survey, terms: Terms, name: str, by: str, parts: int
    ) -> Import:
        digest = surveyed.scanned.digest
        before = self.earlier(digest)
        told = {"name": name, "digest": digest, "terms": terms.pack()}
        told["shape"] = surveyed.pack()
        told["earlier"] = before.id if before is not None else ""
        return self._store.keep(identifier, told, by=by, rows=surveyed.rows, parts=parts)

    def load(self, identifier: str) -> Import:
        """An import.

        Raises:
            NotFound: there is none of that id.
        """
        return self._store.load(identifier)

    def latest(self) -> list[Import]:
        """The newest imports, the newest first."""
        return self._store.latest()

    def first_form(self, one: Import) -> ValidForm | None:
        """The first row of a kept file that can be enrolled, None where there is none.

        Raises:
            NotFound: its rows are not kept any more.
        """
        return self._course.first_form(self._kept.file(one))

    def confirm(self, one: Import, by: str) -> bool:
        """Have a checked file imported by a worker; False where it is under way by now.

        Args:
            one: the import.
            by: who confirms it, for the audit.
        """
        self._kept.keep_file(one, KEPT_MS)
        return self._store.confirm(one.id, by)

    def queue(self, queue_one: Callable[[str], None]) -> None:
        """Have workers told of each import that waits: to be checked, confirmed, or left by one.

        Args:
            queue_one: tells a worker of an id; what it loses is queued again.

        Raises:
            StoreUnavailable: ask again.
        """
        for identifier in self._store.waiting():
            self._store.look_at(identifier, in_ms=QUEUED_MS)
            queue_one(identifier)

    def go_on(
        self,
        identifier: str,
        token: str,
        may_go_on: Callable[[], bool],
        is_ending: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Do what is next for a kept file: check it, or import it where that was confirmed.

        Args:
            identifier: of the import.
            token: nobody else's.
            may_go_on: asked after each batch; where not, another worker goes on at once.
            is_ending: asked during a check, which is done in one go: it begins anew elsewhere then.

        Returns:
            False where there is nothing to do, or somebody does it.

        Raises:
            StoreUnavailable: ask again, it goes on where it was.
        """
        found = self._store.find(identifier)
        if found is None or not found.parts:  # or its file is with somebody else
            return False
        one = self._store.claim(identifier, token, states=_CONFIRMED, by_worker=True)
        if one is None:
            return self.check_kept(identifier, token, is_ending)
        try:
            for _ in self._run(one, self._kept.file(one), token, by_worker=True):
                if not may_go_on():
                    self._store.give_back(one, token)
                    break
        except (InvalidInput, NotFound):
            self._fail(one, token)
        except ImportHeld:
            return False
        return True

    def _fail(self, one: Import, token: str) -> None:
        self._store.end(one, token, ImportState.FAILED)
        self._kept.keep_file(one, 0)

    def check_kept(
        self, identifier: str, token: str, is_ending: Callable[[], bool] = lambda: False
    ) -> bool:
        """Check the rows of a file that was kept, and note what was found.

        Args:
            identifier: of the import.
            token: nobody else's.
            is_ending: asked after each batch; where it is, a worker checks it from the beginning.

        Returns:
            False where it is not to be checked, or somebody does it.

        Raises:
            StoreUnavailable: ask again.
        """
        received = ImportState.RECEIVED.value
        one = self._store.claim(identifier, token, states=received, by_worker=True, checks=True)
        if one is None:
            return False
        try:
            done = self._noted(
                one, token, self._course.follow(self._kept.file(one)), _Way(checks=True)
            )
            for _ in done:
                if is_ending():
                    self._store.give_back(one, token)
                    return True
        except (InvalidInput, NotFound):
            self._fail(one, token)
        except ImportHeld:
            return False
        else:
            self._store.end(one, token, ImportState.CHECKED)
        return True

    def run_here(self, one: Import, opened: Open, surveyed: Survey, token: str) -> Iterator[Tally]:
        """Carry out an import of a file that is at hand; the counts so far.

        Args:
            one: from `here`.
            opened: the file.
            surveyed: the same.
            token: nobody else's.

        Raises:
            ImportHeld: somebody is at it.
            StoreUnavailable: ask again, it goes on where it was.
        """
        claimed = self._store.claim(one.id, token, states=_AT_HAND, by_worker=False)
        if claimed is None:
            raise ImportHeld
        file = File(opened, surveyed, Terms.unpack(one.terms), bool(one.earlier))
        yield from self._run(claimed, file, token, by_worker=False)

    def _run(self, one: Import, file: File, token: str, *, by_worker: bool) -> Iterator[Tally]:
        enrolling = Enrolling(one.by, one.id, one.done_to, self._is_of)
        outcomes = self._course.follow(file, enrolling)
        yield from self._noted(one, token, outcomes, _Way(by_worker=by_worker))
        self._store.end(one, token, ImportState.DONE)
        self._kept.forget_what_was_checked(one)

    def _noted(
        self, one: Import, token: str, outcomes: Iterator[Outcome], way: _Way
    ) -> Iterator[Tally]:
        """The counts so far, each noted before it is given."""
        tally = Tally() if way.checks else Tally.of(one.tally)
        parts = 0 if way.checks else one.rejected_parts
        letter, kept_ms = (CHECKED, UNCONFIRMED_MS) if way.checks else (REJECTED, KEPT_MS)
        for outcome in outcomes:
            tally.add(outcome.tally)
            if packed := outcome.pack():
                self._store.keep_part(one.id, f"{letter}{parts}", packed, kept_ms)
                parts += 1
            progress = Progress(outcome.last_row, tally.counts(), parts)
            if not self._store.advance(
                one, token, progress, by_worker=way.by_worker, checks=way.checks
            ):
                raise ImportHeld
            yield tally

    def _is_of(self, patient: str, row: str) -> bool:
        """Whether a patient's consent was recorded by a row of an import (``id/17``)."""
        return any(consent.get("import") == row for consent in self._patients.consents(patient))

    def not_enrolled(self, one: Import) -> Iterator[tuple[list[Rejected], list[Duplicate]]]:
        """The rows that were not enrolled, or would not be, in order and some at a time.

        Raises:
            NotFound: they are not kept any more.
        """
        return self._kept.not_enrolled(one)

    def take_rejected(self, one: Import, by: str) -> Iterator[Rejected]:
        """All rejected rows, in order, as they stand in the file; who takes them is noted.

        Raises:
            NotFound: they are not kept any more.
        """
        self._store.taken(one.id, by)
        for some, _ in self.not_enrolled(one):
            yield from some

    def columns(self, one: Import) -> tuple[str, ...]:
        """The names of the columns of an import's file."""
        return self._kept.survey_of(one).header.names

    def unknown_columns(self, one: Import) -> tuple[str, ...]:
        """The names of those columns that are not read."""
        return self._kept.survey_of(one).header.unknown


def look_over(
    opened: Open, terms: Terms, clinics: Mapping[str, Clinic], catalog: Catalog, most_rows: int
) -> Survey:
    """`Imports.survey` without a store: a slip is told before anything is opened."""
    terms.check(clinics, catalog)
    return survey(opened, terms, most_rows)


_CONFIRMED: Final = ImportState.CONFIRMED.value + ImportState.RUNNING.value
_AT_HAND: Final = ImportState.RECEIVED.value + ImportState.RUNNING.value
