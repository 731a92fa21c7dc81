"""Enter in the directory whoever was enrolled before there was one, or by an older release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import redis
import structlog

from service.store.installation import is_listed, note_listed, take_listing
from service.store.keyring import KeyMissing, Tampered
from service.store.patients import Patients

log = structlog.get_logger(__name__)

AT_ONCE: Final = 200
"""Records read in one round trip: a millisecond or two of the store."""


class Listing:
    """Goes through all patients; done again, or cut off and begun anew, it changes nothing twice.

    What is on its way in memory is an id a patient and list.
    """

    def __init__(self, client: redis.Redis, patients: Patients) -> None:
        self._client = client
        self._patients = patients

    @property
    def done(self) -> bool:
        """Whether somebody has been through this store; a new one never needs it."""
        return is_listed(self._client)

    def run_once(self) -> bool:
        """Do it where it was never done, unless another process is at it; whether it is done.

        Raises:
            StoreUnavailable: run it again.
        """
        if not self.done and take_listing(self._client):
            self.run()
        return self.done

    def run(self, told: Callable[[int], None] = lambda _: None) -> int:
        """Enter all who are missing, in the order of their enrolment; how many there were.

        Staff find everybody else meanwhile, and whoever is enrolled is entered as ever.

        Args:
            told: called with the number of patients looked at, now and then.

        Raises:
            StoreUnavailable: run it again.
        """
        lists: dict[str, list[tuple[int, str]]] = defaultdict(list)
        seen = 0
        for enrolled_ms, identifier, listed in self._everybody():
            for each in listed:
                lists[each].append((enrolled_ms, identifier))
            seen += 1
            if seen % (10 * AT_ONCE) == 0:
                told(seen)
        entered: set[str] = set()
        for each, members in lists.items():
            known = set(self._patients.directory.everybody(each))
            missing = dict.fromkeys(who for _, who in sorted(members) if who not in known)
            if missing:
                self._patients.directory.put_in_front(each, list(missing))
                entered |= missing.keys()
        note_listed(self._client)
        log.info("directory_listed", patients=seen, entered=len(entered))
        return len(entered)

    def _everybody(self) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        """When each was enrolled, who it is, and the lists in which they belong."""
        names = self._patients.identifiers()
        while batch := list(islice(names, AT_ONCE)):
            for fields in self._patients.load_many(batch):
                if not fields.exists:
                    continue
                try:
                    contact = self._patients.contact(fields)
                except (KeyMissing, Tampered) as error:
                    log.error("patient_unreadable", patient=fields.id, fault=str(error))
                    continue
                yield fields.enrolled_ms, fields.id, self._patients.directory.lists_of(contact)
