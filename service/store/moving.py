"""Moving subscriptions to another version of their series: finding them, and the atomic step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import redis

from service.clock import BusinessClock
from service.store.cluster import ClusterClient
from service.store.connection import store_errors
from service.store.history import HistoryEntry
from service.store.keys import PartitionKeys, partition_of
from service.store.records import PatientFields, Subscription, pack_subscription
from service.store.scripts import Call, Scripts, as_text

AT_ONCE: Final = 1000
"""Keys looked at in one round trip, of which some are patients: a few milliseconds of the store."""
_PATIENT: Final = re.compile(r"\{p\d+\}:p:([^:]+)")

Answer = Literal["ok", "moved", "busy", "changed", "gone"]
"""``busy``: it is in flight; ``changed``: read it again; ``moved``: it had been before."""


class LostPlace(Exception):
    """A walk through the store cannot go on from where it was; it begins anew."""


@dataclass(frozen=True, slots=True)
class Moving:
    """One subscription with the place that it is to go on at.

    Attributes:
        fields: the patient's record as it was read: it must not have changed.
        version: that it goes on in.
        index: the step that comes next there.
        attempts: provider calls made for that step; ``failures`` those of them that count.
        done: later steps that are over.
        due_ms: when the next step is due, business ms UTC.
        end: index past the last step of the version that it leaves.
    """

    fields: PatientFields
    subscription: Subscription
    version: int
    index: int
    attempts: int
    failures: int
    done: tuple[int, ...]
    due_ms: int
    end: int


class SeriesMoves:
    """Reads who is in a version of a series, and moves them, each in one atomic step."""

    def __init__(self, client: redis.Redis, scripts: Scripts, business: BusinessClock) -> None:
        self._client = client
        self._scripts = scripts
        self._business = business

    def walk(self, place: str) -> tuple[list[PatientFields], str]:
        """Some patients' records from a place on, in no order, and the place after them (``SCAN``).

        A whole walk meets everyone who is there from its beginning to its end, some perhaps twice.

        Args:
            place: empty at the beginning, then as it was handed out; also by another process.

        Returns:
            The records, and where to go on; empty at the end.

        Raises:
            LostPlace: the server has another order now: begin anew.
            StoreUnavailable: the store did not answer.
        """
        with store_errors(self._client):
            nodes = self._nodes()
            name, _, rest = place.partition(" ")
            run, _, cursor = rest.partition(" ")
            order = sorted(nodes)
            name = name if place else order[0]
            if name not in nodes:
                raise LostPlace
            pipeline = nodes[name].pipeline(transaction=False)
            pipeline.info("server")
            pipeline.scan(int(cursor or 0), match="{p*}:p:*", count=AT_ONCE)
            about, (following, found) = pipeline.execute()
            if run and run != about["run_id"]:
                raise LostPlace
        fields = self._records([as_text(key) for key in found])
        if following:
            return fields, f"{name} {about['run_id']} {following}"
        later = order[order.index(name) + 1 :]
        return fields, f"{later[0]}  " if later else ""

    def _nodes(self) -> dict[str, redis.Redis]:
        """Every server that holds patients, by its name."""
        if isinstance(self._client, ClusterClient):
            return dict(self._client.primaries())
        return {"one": self._client}

    def _records(self, names: Sequence[str]) -> list[PatientFields]:
        matches = [match for name in names if (match := _PATIENT.fullmatch(name))]
        records = self._scripts.read_hashes([match[0] for match in matches])
        each = zip(matches, records, strict=True)
        found = [PatientFields.of(match[1], record) for match, record in each]
        return [fields for fields in found if fields.exists]

    def histories(self, patients: Sequence[str]) -> list[list[HistoryEntry]]:
        """What became of the deliveries of patients, in one round trip.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        names = [PartitionKeys(partition_of(each)).history(each) for each in patients]
        return [
            [HistoryEntry.unpack(field.decode(), row.decode()) for field, row in rows.items()]
            for rows in self._scripts.read_hashes(names)
        ]

    def move(self, moving: Sequence[Moving], *, migration: str, source: str) -> list[Answer]:
        """Move subscriptions, durably; what became of each.

        Args:
            moving: which, and where to.
            migration: id of what moves them.
            source: who does it, for the audit.

        Raises:
            StoreUnavailable: some may have been moved; do it again, none is moved twice.
        """
        calls = [self._call(one, migration, source) for one in moving]
        answers = self._scripts.run_durably("move_on", calls)
        return [_WORDS[answer[0]] for answer in answers]

    def _call(self, one: Moving, migration: str, source: str) -> Call:
        patient, old = one.fields.id, one.subscription
        keys = PartitionKeys(partition_of(patient))
        cursor = f"{one.index}|{one.attempts}" + (f"|{one.failures}" if one.failures else "")
        args = (
            patient,
            old.number,
            one.fields.text(f"s{old.number}") or "",
            one.fields.text(f"k{old.number}") or "",
            one.fields.fields["c"],
            pack_subscription(old.series, one.version, old.start, old.enrolled_ms),
            cursor,
            ",".join(str(place) for place in one.done),
            one.due_ms,
            f"{one.end}|0",
            migration,
            source,
            f"{old.series},v{old.version},v{one.version}",
            self._business.now_ms(),
        )
        return (keys.patient(patient), keys.due, keys.audit, keys.counts), args


_WORDS: Final[dict[bytes, Answer]] = {
    b"ok": "ok",
    b"moved": "moved",
    b"busy": "busy",
    b"changed": "changed",
    b"gone": "gone",
}
