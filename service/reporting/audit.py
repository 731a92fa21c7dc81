"""Who saw or changed what: the audit as people read it, page by page, filtered, for export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from service.accounts.members import SOURCE, Member
from service.errors import NotFound
from service.store.keys import is_member_id, is_patient_id, is_task_id, partition_of
from service.store.patients import Patients
from service.store.records import CHANNELS
from service.store.suppressions import Suppressions
from service.store.tasks import Tasks
from service.store.trail import Place, Trace, Trail

PAGE: Final = 50
MOST_LOOKED_AT: Final = 1_000
"""Entries that one page looks at where few of them are wanted; the next page goes on there."""
MOST_EXPORTED: Final = 100_000

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "seen": ("seen", "exported"),
    "consent": ("enrolled", "consented", "suppressed", "suppression_lifted"),
    "series": ("status_", "restarted", "moved", "moved_on", "retried", "sent_now"),
    "details": ("amended", "links_ended", "erased"),
    "inbox": ("task_", "answer_", "reply_", "mail_"),
    "import": ("imported", "import_"),
    "service": ("sender_resumed",),
}
"""Kinds that one can ask for, by what their entries say, or begin with where it ends in ``_``.
All else is about accounts (``accounts``)."""
ACCOUNTS: Final = "accounts"


def kind_of(what: str) -> str:
    """The kind of an entry."""
    for kind, words in KINDS.items():
        if any(what.startswith(word) if word.endswith("_") else what == word for word in words):
            return kind
    return ACCOUNTS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; what is left out does not restrict.

    Attributes:
        member: id of who did it.
        patient: id of whom it is about; changes of their addresses are told as well.
        kind: one of ``KINDS``, or ``accounts``.
        since_ms: from then on, business ms UTC; ``until_ms``: before then.
    """

    member: str = ""
    patient: str = ""
    kind: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first.

    Attributes:
        older: where the next page goes on; None where there is nothing more.
        looked_to_ms: where it ends because too many were looked at: up to when, business ms UTC.
    """

    traces: tuple[Trace, ...]
    older: Place | None = None
    looked_to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AuditParts:
    """Where it is seen to which clinic an entry belongs."""

    patients: Patients
    suppressions: Suppressions
    tasks: Tasks
    member_of: Callable[[str], Member | None]


class AuditLog:
    """The use case behind the console's page. Reads only."""

    def __init__(self, trail: Trail, parts: AuditParts) -> None:
        self._trail = trail
        self._parts = parts

    def page(self, wanted: Wanted, reader: Member, before: Place | None = None) -> Page:
        """A page of entries that a member may see.

        Args:
            wanted: which.
            reader: of their clinics alone, where they do not see all.
            before: what `Page.older` told.

        Raises:
            NotFound: a patient is asked for whom the reader does not see.
            StoreUnavailable: the store did not answer.
        """
        found: list[Trace] = []
        sight = _Sight(self._parts, reader)
        last: Trace | None = None
        for count, trace in enumerate(self._traces(wanted, reader, before), 1):
            if self._is_wanted(trace, wanted) and sight.has(trace.entry.on):
                if len(found) == PAGE:
                    return Page(tuple(found), older=found[-1].place)
                found.append(trace)
            last = trace
            if count == MOST_LOOKED_AT:
                return Page(tuple(found), last.place, last.entry.at_ms)
        return Page(tuple(found))

    def every(self, wanted: Wanted, reader: Member) -> Iterator[Trace]:
        """All entries that a member may see, newest first, up to a hundred thousand.

        Raises:
            NotFound: as in `page`.
            StoreUnavailable: the store did not answer.
        """
        sight = _Sight(self._parts, reader)
        traces = self._traces(wanted, reader, None)
        seen = (
            trace
            for trace in traces
            if self._is_wanted(trace, wanted) and sight.has(trace.entry.on)
        )
        return islice(seen, MOST_EXPORTED)

    def _traces(self, wanted: Wanted, reader: Member, before: Place | None) -> Iterator[Trace]:
        if not wanted.patient:
            return self._trail.newest_first(
                partitions=() if wanted.kind in {ACCOUNTS, "import"} else None,
                staff=wanted.kind in {"", ACCOUNTS, "import"},
                before=before,
                since_ms=wanted.since_ms,
                until_ms=wanted.until_ms,
            )
        names = self._names_of(wanted.patient, reader)
        partitions = sorted({partition for _, partition in names})
        known = {name for name, _ in names}
        traces = self._trail.newest_first(
            partitions=partitions,
            staff=False,
            before=before,
            since_ms=wanted.since_ms,
            until_ms=wanted.until_ms,
        )
        return (trace for trace in traces if trace.entry.on.partition(".")[0] in known)

    def _names_of(self, patient: str, reader: Member) -> list[tuple[str, int]]:
        """What entries call a patient and their addresses, with the partition of each."""
        if not is_patient_id(patient):
            raise NotFound("There is no such patient.")
        names = [(patient, partition_of(patient))]
        fields = self._parts.patients.find(patient)
        if fields is None:  # erased, or never there: the audit is what is left
            if reader.clinics:
                raise NotFound("There is no such patient.")
            return names
        contact = self._parts.patients.contact(fields)
        if not reader.sees(contact.clinic):
            raise NotFound("There is no such patient.")
        for channel in CHANNELS:
            address = contact.address(channel)
            if address:
                digest = self._parts.suppressions.digest(channel, address)
                names.append((digest, self._parts.suppressions.keys(digest).partition))
        return names

    def _is_wanted(self, trace: Trace, wanted: Wanted) -> bool:
        entry = trace.entry
        if wanted.member and entry.by != f"{SOURCE}{wanted.member}":
            return False
        return not wanted.kind or kind_of(entry.what) == wanted.kind


class _Sight:
    """What a member may see, each thing looked up once."""

    def __init__(self, parts: AuditParts, reader: Member) -> None:
        self._parts = parts
        self._reader = reader
        self._known: dict[str, bool] = {}

    def has(self, on: str) -> bool:
        """Whether something exists for the member; for who sees every clinic, all does."""
        if not self._reader.clinics:
            return True
        name = on.partition(".")[0]
        if name not in self._known:
            self._known[name] = self._looked_up(name)
        return self._known[name]

    def _looked_up(self, name: str) -> bool:
        parts = self._parts
        if is_patient_id(name) and (fields := parts.patients.find(name)) is not None:
            return self._reader.sees(parts.patients.contact(fields).clinic)
        if is_member_id(name) and (member := parts.member_of(name)) is not None:
            return self._reader.oversees(member.clinics)
        if is_task_id(name):
            try:
                return self._reader.sees(parts.tasks.find(name).clinic)
            except NotFound:
                return False
        return any(
            (fields := parts.patients.find(patient)) is not None
            and self._reader.sees(parts.patients.contact(fields).clinic)
            for patient in parts.suppressions.patients(name)
        )
