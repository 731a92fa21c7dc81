"""What was changed by whom: the stream of a partition, read for a few names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import redis

from service.clock import BusinessClock, MachineClock
from service.store.connection import Durability, store_errors
from service.store.keys import PartitionKeys, partition_of
from service.store.scripts import Scripts, as_bytes, as_text

AT_ONCE: Final = 1000
"""Entries read in one round trip: a few milliseconds of the store."""
LOOK_MS: Final = 3_600_000
"""Who looks at a patient again within this is not noted again."""
SLACK_MS: Final = 86_400_000
"""By how much the server's clock, which numbers the entries, may be off."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change.

    Attributes:
        at_ms: business ms UTC.
        what: such as ``suppressed``, ``status_p``, ``amended``.
        on: a patient, a subscription (``patient.n``) or an address's digest.
        by: who did it.
        reason: a word or several with commas; empty where none was given.
        until_ms: when a pause ends by itself, business ms UTC.
        step: of a delivery that was tried again: field of the history.
    """

    at_ms: int
    what: str
    on: str
    by: str
    reason: str = ""
    until_ms: int | None = None
    step: str = ""


class Audit:
    """Reads the streams; every script that changes something writes its own entry."""

    def __init__(self, client: redis.Redis, business: BusinessClock, machine: MachineClock) -> None:
        self._client = client
        self._scripts = Scripts(client, Durability.of(client))
        self._business = business
        self._machine = machine

    def of(
        self,
        keys: PartitionKeys,
        names: Collection[str],
        since_ms: int,
        until_ms: int | None = None,
    ) -> list[Entry]:
        """Changes on some patients or addresses of a partition in a stretch of time, oldest first.

        Reads all of the partition's stream in that stretch, a thousand entries at a time.

        Args:
            keys: of the partition.
            names: ids of patients, whose subscriptions are meant as well, or digests of addresses.
            since_ms: business ms UTC.
            until_ms: the same, where it ends; None for now.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        wanted = {name.encode() for name in names}
        found = [
            entry_of({as_text(name): as_text(value) for name, value in fields.items()})
            for fields in self._between(keys.audit, since_ms, until_ms)
            # Told apart as they are read: most of what a partition has is of somebody else.
            if as_bytes(fields[b"on"]).partition(b".")[0] in wanted
        ]
        return [
            entry
            for entry in found
            if since_ms <= entry.at_ms and (until_ms is None or entry.at_ms < until_ms)
        ]

    def note_seen(self, patient: str, by: str) -> None:
        """Note that somebody looked at a patient, once an hour; cheap, nobody waits for the disk.

        Args:
            patient: whom.
            by: who looked: ``staff:<id>``.

        Raises:
            StoreUnavailable: it was not noted, and nothing is to be shown.
        """
        keys = PartitionKeys(partition_of(patient))
        names = (keys.audit, keys.look(f"{patient}:{by}"))
        self._scripts.run("note_seen", names, (patient, by, self._business.now_ms(), LOOK_MS))

    def note_exported(self, patient: str, by: str) -> None:
        """The same of somebody who took away all that is held about a patient."""
        self._note("exported", patient, by)

    def _note(self, what: str, patient: str, by: str) -> None:
        stream = PartitionKeys(partition_of(patient)).audit
        now_ms = self._business.now_ms()
        with store_errors(self._client):
            self._client.xadd(stream, {"what": what, "on": patient, "by": by, "at": now_ms})

    def _between(
        self, stream: str, since_ms: int, until_ms: int | None
    ) -> Iterator[Mapping[bytes, bytes]]:
        # Entries are numbered by the server's own clock. Where business time runs fast, that says
        # nothing about when, and all are read.
        fast = abs(self._business.now_ms() - self._machine.now_ms()) > SLACK_MS
        after = "-" if fast else str(max(0, since_ms - SLACK_MS))
        last = "+" if fast or until_ms is None else str(until_ms + SLACK_MS)
        while True:
            with store_errors(self._client):
                pipeline = self._client.pipeline(transaction=False)
                pipeline.xrange(stream, min=after, max=last, count=AT_ONCE)
                (rows,) = pipeline.execute()
            yield from (fields for _, fields in rows)
            if len(rows) < AT_ONCE:
                return
            after = f"({as_text(rows[-1][0])}"


def entry_of(fields: dict[str, str]) -> Entry:
    """An entry as a stream has it."""
    until = fields.get("until", "")
    return Entry(
        at_ms=int(fields["at"]),
        what=fields["what"],
        on=fields["on"],
        by=fields.get("by", ""),
        reason=fields.get("reason", ""),
        until_ms=int(until) if until else None,
        step=fields.get("step", ""),
    )
