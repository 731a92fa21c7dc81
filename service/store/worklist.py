"""What waits for staff, a page at a time: found by the index, nothing of it decrypted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from service.store.keys import PartitionKeys
from service.store.scripts import Argument, Call, Scripts, as_text
from service.store.tasks import Task, TaskKind, TaskState

MOST: Final = 200
"""Rows of one page, at most."""
LONGEST_PLACE: Final = 64
"""Letters of a place as it stands in an address."""
_COLUMNS: Final = 11


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands among all: by its kind, then by its age. Fit for URLs and logs.

    Attributes:
        kind: place of the task's kind among those that were asked for.
        opened_ms: machine ms UTC.
        task: its id.
    """

    kind: int
    opened_ms: int
    task: str

    def __str__(self) -> str:
        """As it stands in the address of a page."""
        return f"{self.kind}-{self.opened_ms}-{self.task}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Read that; None where it is not of that form."""
        kind, _, rest = text.partition("-")
        opened, _, task = rest.partition("-")
        if len(text) > LONGEST_PLACE or not (
            kind.isascii() and kind.isdecimal() and opened.isascii() and opened.isdecimal()
        ):
            return None
        return cls(int(kind), int(opened), task) if task.isascii() and task.isalnum() else None


@dataclass(frozen=True, slots=True)
class Row:
    """A task that waits, or the most pressing one of an address.

    Attributes:
        task: without how often staff were alerted of it.
        tasks: how many the address has; 1 where there is a row for each.
    """

    place: Place
    task: Task
    tasks: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks of a kind wait, and how many of these somebody has."""

    waiting: int
    taken: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what waits, and how much there is of it.

    Attributes:
        rows: in their order.
        counts: of tasks, over all pages.
        further: behind which row the next page begins; None where this is the last.
    """

    rows: tuple[Row, ...]
    counts: dict[TaskKind, Count]
    further: Place | None


class Worklist:
    """Reads what waits from all partitions, in one round trip."""

    def __init__(self, scripts: Scripts, partitions: int) -> None:
        self._scripts = scripts
        self._partitions = partitions

    def page(
        self,
        kinds: Sequence[TaskKind],
        clinics: Collection[str],
        *,
        limit: int,
        after: Place | None = None,
        by_address: bool = False,
    ) -> Page:
        """The most pressing rows behind a place.

        Args:
            kinds: those that are asked for, the most pressing first.
            clinics: whose; empty: of every clinic.
            limit: how many rows, up to ``MOST``.
            after: of the page before this; None for the first.
            by_address: a row for each address, and not for each task.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        most = min(limit, MOST)
        behind: tuple[Argument, ...] = (
            ("", "", "") if after is None else (after.kind, after.opened_ms, after.task)
        )
        asked = (",".join(kinds), ",".join(sorted(clinics)), most + 1, int(by_address), *behind)
        calls: list[Call] = [
            ((keys.tasks, keys.task_rows), (keys.task(""), *asked))
            for keys in map(PartitionKeys, range(self._partitions))
        ]
        answers = self._scripts.run_many("worklist", calls)
        heads = len(kinds) * 2
        sums = [sum(int(answer[at]) for answer in answers) for at in range(heads)]
        counts = {kind: Count(sums[2 * at], sums[2 * at + 1]) for at, kind in enumerate(kinds)}
        # Each begins with its place, which sorts as text: only what is shown is read.
        packed = sorted(as_text(each) for answer in answers for each in answer[heads:])
        shown = tuple(_row(each, kinds) for each in packed[:most])
        return Page(shown, counts, shown[-1].place if len(packed) > most and shown else None)


def _row(packed: str, kinds: Sequence[TaskKind]) -> Row:
    head, *row = packed.split("|", _COLUMNS - 1)
    opened, name, tasks, _, state, _, address, clinic, patients, by = row
    place = int(head)
    task = Task(
        id=name,
        kind=kinds[place],
        state=TaskState(state),
        address=address,
        clinic=clinic,
        patients=tuple(filter(None, patients.split(","))),
        opened_ms=int(opened),
        alerts=0,
        by=by,
    )
    return Row(Place(place, int(opened), name), task, int(tasks))
