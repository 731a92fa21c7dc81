"""A page of patients from several lists of the directory, the newest of all first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from service.store.patients import Patients
from service.store.records import Patient, PatientFields

Person = tuple[Patient, PatientFields]
LEAST: Final = 4
"""Places read of a list at a time, at least."""


class _Lane:
    """One list, read from its newest end.

    Attributes:
        listed: which.
        rest: how many places stand before what has been read; None before the first.
    """

    def __init__(self, listed: str, rest: int | None) -> None:
        self.listed = listed
        self.rest = rest
        self.read: deque[tuple[int, PatientFields]] = deque()

    @property
    def place(self) -> int:
        """The place before which the next page begins."""
        return self.read[0][0] + 1 if self.read else (self.rest or 0)


class Pager:
    """Takes, of the heads of all lists, whoever was enrolled last, until the page is full.

    Who stands in a list and does not belong there is passed over: somebody whose enrolment is
    under way or was cut off, or who has changed their clinic. Who was erased is taken out.
    """

    def __init__(
        self, patients: Patients, lists: Sequence[str], belongs: Callable[[str, Patient], bool]
    ) -> None:
        self._patients = patients
        self._lists = lists
        self._belongs = belongs

    def page(self, cursor: str, size: int) -> tuple[list[Person], str]:
        """A page, and the cursor of the next; that is empty where there is none.

        Args:
            cursor: of the page before; any that is not of these lists begins anew.
            size: patients on the page.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        places = [int(place) for place in cursor.split(".") if place.isascii() and place.isdigit()]
        begins = places if len(places) == len(self._lists) else [None] * len(self._lists)
        lanes = [_Lane(each, rest) for each, rest in zip(self._lists, begins, strict=True)]
        found: dict[str, Person] = {}
        for listed, fields in self._heads(lanes, size):
            if fields.erased:
                self._patients.directory.leave(fields.id, [listed])
            if fields.exists and fields.id not in found:
                contact = self._patients.contact(fields)
                if self._belongs(listed, contact):
                    found[fields.id] = contact, fields
            if len(found) == size:
                break
        more = any(lane.place for lane in lanes)
        return list(found.values()), ".".join(str(lane.place) for lane in lanes) if more else ""

    def _heads(self, lanes: Sequence[_Lane], size: int) -> Iterator[tuple[str, PatientFields]]:
        most = min(size + 1, max(LEAST, 2 * size // max(1, len(lanes))))
        while True:
            self._refill([lane for lane in lanes if not lane.read and lane.rest != 0], most)
            heads = [lane for lane in lanes if lane.read]
            if heads:
                newest = max(heads, key=lambda lane: lane.read[0][1].enrolled_ms)
                yield newest.listed, newest.read.popleft()[1]
            elif all(lane.rest == 0 for lane in lanes):
                return

    def _refill(self, lanes: Sequence[_Lane], most: int) -> None:
        stretches = self._patients.directory.read(
            [lane.listed for lane in lanes], [lane.rest for lane in lanes], most
        )
        ids = [identifier for stretch in stretches for _, identifier in stretch.ids]
        records = iter(self._patients.load_many(ids))
        for lane, stretch in zip(lanes, stretches, strict=True):
            lane.rest = stretch.rest
            lane.read.extend((place, next(records)) for place, _ in stretch.ids)
