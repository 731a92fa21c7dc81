"""The way of a file's rows: read, judged, compared with who is there, and enrolled.

While some batches are with the store the next one is read and judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from messages.catalog import Catalog
from service.clinics import Clinic
from service.enrolment.bulk.findings import Duplicate, Outcome, Rejected, Tally
from service.enrolment.bulk.judge import Judge, Problem
from service.enrolment.bulk.scan import Open
from service.enrolment.bulk.seen import MOST_ROWS, Seen
from service.enrolment.bulk.table import Record, Survey, Table
from service.enrolment.bulk.terms import Terms
from service.enrolment.enrol import AlreadyEnrolled, Asked, Enrolment, is_same
from service.enrolment.form import ValidForm

BATCH: Final = 500
"""Rows that go to the store together: some milliseconds of it, and one wait for its disk."""
IN_FLIGHT: Final = 2
"""Batches that are with the store at once: while one waits for its disk, another is made ready."""
_ELSEWHERE: Final = Problem(
    "given_name",
    "enrolled_elsewhere",
    "This person is a patient of another clinic of yours already: ask an administrator to see "
    "to it.",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file that was surveyed.

    Attributes:
        opened: opens it.
        terms: told for the whole of it.
        again: it was imported before: who was enrolled by it then is not enrolled anew, whatever
            has become of that.
    """

    opened: Open
    survey: Survey
    terms: Terms
    again: bool = False


@dataclass(frozen=True, slots=True)
class Enrolling:
    """That rows are enrolled, and not only checked.

    Attributes:
        source: who does it.
        name: of the import, for the evidence.
        after: rows up to here are done.
        ours: whether a patient's record of a series is of that very row: asked about the rows that
            a cut-off run may have enrolled without having noted it.
    """

    source: str
    name: str
    after: int = 0
    ours: Callable[[str, str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row with its judgement.

    Attributes:
        judged: as it would be enrolled, or what is wrong.
        twin: an earlier row of the file about the same person, 0 for none.
    """

    record: Record
    judged: ValidForm | tuple[Problem, ...]
    twin: int = 0


class Course:
    """Follows files from their first row to their last."""

    def __init__(
        self, enrolment: Enrolment, clinics: Mapping[str, Clinic], catalog: Catalog
    ) -> None:
        self._enrolment = enrolment
        self._clinics = clinics
        self._catalog = catalog

    def follow(
        self, file: File, enrolling: Enrolling | None = None
    ) -> Generator[Outcome, None, None]:
        """Check the rows of a file, or enrol them; what became of each batch, in order.

        No further batch is begun before the outcome of the oldest under way was taken, so that
        whoever notes how far this is is never behind by more than ``IN_FLIGHT`` of them.

        Args:
            file: as surveyed.
            enrolling: None to change nothing.

        Raises:
            StoreUnavailable: ask again from the last outcome on; nobody is enrolled twice.
        """
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="import") as pool:
            under_way: deque[Future[Outcome]] = deque()
            lines = self._lines(file, enrolling.after if enrolling else 0)
            for turn, batch in enumerate(_batches(lines)):
                if len(under_way) == IN_FLIGHT:
                    yield under_way.popleft().result()
                fresh = turn < IN_FLIGHT
                under_way.append(pool.submit(self._carry_out, batch, file, enrolling, fresh=fresh))
            while under_way:
                yield under_way.popleft().result()

    def first_form(self, file: File) -> ValidForm | None:
        """The first row that can be enrolled, None where there is none among the first ones."""
        some = islice(self._lines(file, 0), 2 * BATCH)
        return next((each.judged for each in some if isinstance(each.judged, ValidForm)), None)

    def _lines(self, file: File, after: int) -> Iterator[Line]:
        judge = Judge(file.survey.header, file.terms, self._clinics, self._catalog)
        seen = Seen(2 * file.survey.rows)
        with Table(file.opened, file.survey.scanned.encoding, file.terms) as table:
            for record in table:
                if record.number <= after:
                    continue
                judged = judge.judge(record)
                if isinstance(judged, ValidForm):
                    yield Line(record, judged, _twin(seen, judged, record.number))
                else:
                    yield Line(record, judged)

    def _carry_out(
        self, batch: list[Line], file: File, enrolling: Enrolling | None, *, fresh: bool
    ) -> Outcome:
        """Compare a batch with who is there, and enrol it.

        Args:
            batch: rows that follow each other.
            file: theirs.
            enrolling: None to change nothing.
            fresh: whether it is one of the first of this run, which the last may have begun.
        """
        tally, duplicates = Tally(rows=len(batch)), list[Duplicate]()
        rejected = [
            _rejected(line, line.judged) for line in batch if not isinstance(line.judged, ValidForm)
        ]
        good = [(line, line.judged) for line in batch if isinstance(line.judged, ValidForm)]
        duplicates += [Duplicate(line.record.number, line.twin) for line, _ in good if line.twin]
        tally.repeated = len(duplicates)
        good = [(line, form) for line, form in good if not line.twin]
        asked: list[tuple[Line, Asked]] = []
        for (line, _), one in zip(good, self._enrolment.look([f for _, f in good]), strict=True):
            there = _there(one, again=file.again)
            if _is_elsewhere(one, file.terms.clinics):
                rejected.append(_rejected(line, (_ELSEWHERE,)))
            elif there is None:
                asked.append((line, one))
                tally.shared += _is_shared(one, file.terms.clinics)
            elif _is_ours(enrolling, there, line.record.number, fresh=fresh):
                tally.accepted += 1
            else:
                duplicates.append(Duplicate(line.record.number, 0))
        if enrolling is None:
            tally.accepted += len(asked)
        else:
            self._enrol(asked, file, enrolling, tally, duplicates)
        tally.duplicates, tally.rejected = len(duplicates), len(rejected)
        rejected.sort(key=lambda each: each.row)
        duplicates.sort(key=lambda each: each.row)
        return Outcome(batch[-1].record.number, tally, rejected, duplicates)

    def _enrol(
        self,
        asked: list[tuple[Line, Asked]],
        file: File,
        enrolling: Enrolling,
        tally: Tally,
        duplicates: list[Duplicate],
    ) -> None:
        digest = file.survey.scanned.digest
        evident = [
            replace(
                one,
                evidence={"import": f"{enrolling.name}/{line.record.number}", "file": digest},
            )
            for line, one in asked
        ]
        answers = self._enrolment.enrol_all(evident, source=enrolling.source)
        for (line, _), answer in zip(asked, answers, strict=True):
            if isinstance(answer, AlreadyEnrolled):  # by somebody else, at this very moment
                duplicates.append(Duplicate(line.record.number, 0))
            else:
                tally.accepted += 1
                tally.silent += bool(answer.suppressed)


def _rejected(line: Line, problems: tuple[Problem, ...]) -> Rejected:
    return Rejected(line.record.number, problems, tuple(line.record.cells[: line.record.told]))


def _is_elsewhere(asked: Asked, clinics: Collection[str]) -> bool:
    """Whether a row is about a patient of a clinic that whoever imports does not see.

    Nobody is taken from a clinic by a file of another's, as by no form (``staff.enrolling``).
    """
    return bool(clinics) and any(
        known.contact.clinic not in clinics and is_same(known, asked.valid) for known in asked.known
    )


def _is_shared(asked: Asked, clinics: Collection[str]) -> bool:
    """Whether somebody in the row's series has one of its addresses, whom whoever imports sees."""
    return any(
        known.is_in(asked.valid.series.name)
        for known in asked.known
        if not clinics or known.contact.clinic in clinics
    )


def _there(asked: Asked, *, again: bool) -> str | None:
    """The patient that a row is about where they are in its series already."""
    name, series = asked.valid.given_name, asked.valid.series.name
    for known in asked.known:
        if known.has_name(name) and (known.is_in(series) or (again and known.was_in(series))):
            return known.contact.id
    return None


def _is_ours(enrolling: Enrolling | None, patient: str, row: int, *, fresh: bool) -> bool:
    """Whether a row was enrolled by this very import, which was cut off before it could note it."""
    if enrolling is None or enrolling.ours is None or not fresh:
        return False
    return enrolling.ours(patient, f"{enrolling.name}/{row}")


def _twin(seen: Seen, form: ValidForm, row: int) -> int:
    """The earlier row about the same person; where there is none this one is kept."""
    name = form.given_name.casefold()
    keys = [
        hash((form.series.name, name, address)) & _WORD
        for address in (form.phone, form.email)
        if address is not None
    ]
    for key in keys:
        earlier = seen.find(key)
        if earlier is not None:
            return earlier
    for key in keys:
        seen.keep(key, min(row, MOST_ROWS))
    return 0


_WORD: Final = (1 << 64) - 1


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    waiting = iter(lines)
    while batch := list(islice(waiting, BATCH)):
        yield batch
