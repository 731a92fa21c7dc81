"""Who there is, clinic by clinic and name by name: lists that staff page and search through.

A list is one text of ids, in the order in which patients were entered, with dashes where one has
left. An id is entered before the patient's record is made, and whoever reads a list holds each id
against its record: so no crash between the two loses anybody, and what a crash left over is taken
out by whoever meets it. A list is found by a keyed hash of its clinic, or of clinic and name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from service.store.keyring import Index
from service.store.keys import PATIENT_RANDOM, PartitionKeys
from service.store.names import normalised_name
from service.store.records import Patient
from service.store.scripts import Scripts, as_text
from service.store.together import Asked, ask_together

ID_LETTERS = 2 + PATIENT_RANDOM
LEFT = "-" * ID_LETTERS
"""In place of one who has left: all others keep their places."""
AT_ONCE = 10_000
"""Ids read, or put in front, in one round trip: 120 kB."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a list.

    Attributes:
        ids: newest first; those who have left are not among them.
        rest: how many places of the list stand before it.
    """

    ids: tuple[tuple[int, str], ...]
    rest: int


class Directory:
    """Enters patients in lists, takes them out, and reads lists from their newest end."""

    def __init__(self, scripts: Scripts, index: Index, partitions: int) -> None:
        self._scripts = scripts
        self._index = index
        self._partitions = partitions
        self._clinics: dict[str, str] = {}

    def clinic(self, clinic: str) -> str:
        """The list of everybody in a clinic; opaque, 22 letters."""
        known = self._clinics.get(clinic)
        if known is None:
            known = self._clinics[clinic] = self._index.digest("clinic", clinic)
        return known

    def named(self, clinic: str, name: str) -> str:
        """The list of those in a clinic who have a name, however it is typed."""
        return self._index.digest("name", f"{normalised_name(name)}\n{clinic}")

    def lists_of(self, patient: Patient) -> tuple[str, ...]:
        """The lists in which a patient stands; who told no name is in no list of names."""
        clinic = (self.clinic(patient.clinic),)
        if not patient.given_name:
            return clinic
        return (*clinic, self.named(patient.clinic, patient.given_name))

    def enter(self, identifier: str, lists: Sequence[str]) -> None:
        """Enter a patient, durably, before the record is made; not again where they just were."""
        self.enter_all([(each, identifier) for each in lists])

    def enter_all(self, pairs: Sequence[tuple[str, str]]) -> None:
        """The same for many pairs of list and patient, with one wait for the disk."""
        lists: dict[str, dict[str, None]] = {}
        for listed, identifier in pairs:
            lists.setdefault(listed, {})[identifier] = None
        entering = [
            Asked(self._partition(listed), self._key(listed), (len(ids), *ids))
            for listed, ids in lists.items()
        ]
        ask_together(partial(self._scripts.run_durably, "enlist"), entering)

    def leave(self, identifier: str, lists: Sequence[str]) -> None:
        """Take a patient out of lists, durably."""
        self._scripts.run_durably("delist", [((self._key(each),), (identifier,)) for each in lists])

    def read(self, lists: Sequence[str], ends: Sequence[int | None], most: int) -> list[Stretch]:
        """Read a stretch of each list, in one round trip.

        Args:
            lists: which.
            ends: of each list the place before which to begin; None for its newest end.
            most: places in each.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        calls = [
            ((self._key(each),), ("" if end is None else end, most, ID_LETTERS))
            for each, end in zip(lists, ends, strict=True)
        ]
        return [_stretch(int(end), as_text(text)) for end, text in self._run("read_list", calls)]

    def _run(
        self, name: str, calls: Sequence[tuple[tuple[str], tuple[str | int, ...]]]
    ) -> list[tuple[int, bytes]]:
        return list(self._scripts.run_many(name, calls))

    def everybody(self, listed: str) -> Iterator[str]:
        """All ids of a list, newest first."""
        end: int | None = None
        while end != 0:
            (stretch,) = self.read([listed], [end], AT_ONCE)
            yield from (identifier for _, identifier in stretch.ids)
            end = stretch.rest

    def put_in_front(self, listed: str, ids: Sequence[str]) -> None:
        """Enter those who were there before the list was, the oldest first; durably."""
        for start in reversed(range(0, len(ids), AT_ONCE)):
            text = "".join(ids[start : start + AT_ONCE])
            self._scripts.run_durably("put_in_front", [((self._key(listed),), (text,))])

    def _key(self, listed: str) -> str:
        return PartitionKeys(self._partition(listed)).listed(listed)

    def _partition(self, listed: str) -> int:
        return int.from_bytes(listed.encode(), "big") % self._partitions


def _stretch(end: int, text: str) -> Stretch:
    count = len(text) // ID_LETTERS
    ids = [text[at * ID_LETTERS : (at + 1) * ID_LETTERS] for at in range(count)]
    first = end - count
    found = [(first + at, ids[at]) for at in reversed(range(count)) if ids[at] != LEFT]
    return Stretch(tuple(found), first)
