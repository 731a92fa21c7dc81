"""Patients under way are moved to another version of their series: looked at first, then done.

It goes over all patients in slices, each noted in the store, so that it may be cut off anywhere and
gone on with by anybody. Each subscription is moved in one atomic step that holds only for what was
read; one that is in flight is left, and looked at again in the next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from schedules.errors import ScheduleError
from schedules.series import load_series
from service.authoring.plans import Planned, Versions, late, planned
from service.authoring.tally import Tally
from service.clock import BusinessClock, MachineClock
from service.errors import AftervisitError, InvalidInput, NotFound
from service.reporting.backlog import Outlook
from service.store.history import HistoryEntry
from service.store.migrations import Migration, Migrations, Order
from service.store.moving import Answer, LostPlace, SeriesMoves
from service.store.patients import Patients
from service.store.records import PatientFields, Status, Subscription

log = structlog.get_logger(__name__)

LOOK_AGAIN_MS: Final = 15_000
"""What was in flight is looked at again after this, machine time."""
QUEUED_MS: Final = 15_000
"""A worker that was told of one, and did not go on with it in this time, is told again."""
_COUNTED: Final[dict[Answer, str]] = {
    "ok": "moved",
    "moved": "moved",
    "busy": "left",
    "changed": "left",
    "gone": "gone",
}
_UNDER_WAY: Final = frozenset(Status) - {Status.COMPLETED, Status.MOVED}


@dataclass(frozen=True, slots=True)
class _Slice:
    """What a slice works with."""

    migration: Migration
    versions: Versions
    tally: Tally

    def anew(self) -> _Slice:
        """The same at the beginning of a pass."""
        if self.migration.order.dry:
            return replace(self, tally=Tally())
        self.tally.begin_pass()
        return self


class SeriesMigrations:
    """The use case behind ``aftervisit series migrate``, the console's page and its task."""

    def __init__(
        self,
        moves: SeriesMoves,
        records: Migrations,
        patients: Patients,
        business: BusinessClock,
        machine: MachineClock,
    ) -> None:
        self._moves = moves
        self._records = records
        self._patients = patients
        self._business = business
        self._machine = machine

    def start(self, order: Order, *, by: str) -> Migration:
        """Put a migration, or its dry run, on record; the one that is under way where there is one.

        Args:
            order: what is to be done.
            by: who orders it, for the audit.

        Raises:
            InvalidInput: there is no such version, or both are one.
            StoreUnavailable: the store did not answer.
        """
        _versions(order)
        for known in self._records.recent():
            if known.order == order and known.is_open:
                return known
        return self._records.create(order, by)

    def find(self, identifier: str) -> Migration:
        """One of them; raises NotFound where there is none of that id."""
        found = self._records.find(identifier)
        if found is None:
            raise NotFound("There is no such migration.")
        return found

    def recent(self) -> list[Migration]:
        """The newest, newest first."""
        return self._records.recent()

    def queue(self, queue_one: Callable[[str], None]) -> None:
        """Have workers told of each that is to be gone on with now.

        Args:
            queue_one: tells a worker of an id; what it loses is queued again.

        Raises:
            StoreUnavailable: ask again.
        """
        for identifier in self._records.waiting():
            self._records.look_at(identifier, in_ms=QUEUED_MS)
            queue_one(identifier)

    def stop(self, identifier: str, *, by: str) -> Migration:
        """Move nobody any more; who was moved stays so. What has ended stays as it is.

        Raises:
            NotFound: there is no such migration.
        """
        if self.find(identifier).is_open:
            self._records.stop(identifier, by)
        return self.find(identifier)

    def go_on(self, identifier: str, *, seconds: float, token: str) -> Migration:
        """Go on with a migration for a while, in the place where it was; how it stands then.

        Args:
            identifier: which.
            seconds: of machine time after which the slice ends; it may take a little longer.
            token: tells those apart who go on with it; of two at once only one does.

        Raises:
            NotFound: there is no such migration.
            InvalidInput: a version is no longer installed.
            StoreUnavailable: go on again; nobody is moved twice.
        """
        migration = self.find(identifier)
        if not migration.is_open or not self._records.take(identifier, token):
            return migration
        until = self._machine.monotonic() + seconds
        part = _Slice(migration, _versions(migration.order), Tally.of(migration.progress))
        place, passes = migration.progress.place, migration.progress.passes
        while True:
            if not place:
                part, passes = part.anew(), passes + 1
            try:
                fields, place = self._moves.walk(place)
            except LostPlace:
                place = ""
                continue
            self._take_up(part, fields)
            if not place:
                return self._end_pass(part, passes)
            if self._machine.monotonic() >= until:
                return self._note(replace(migration, progress=part.tally.progress(place, passes)))

    def finish(
        self,
        identifier: str,
        *,
        token: str,
        patience_s: float,
        sleep: Callable[[float], None],
        told: Callable[[Migration], None] = lambda _: None,
    ) -> Migration:
        """Go on with a migration until it is done; as it stands where that takes too long.

        Args:
            identifier: which.
            token: as for `go_on`.
            patience_s: how long to wait for what is in flight, or for another who goes on with it.
            sleep: waits that many seconds.
            told: called after each slice.
        """
        waited = 0.0
        while True:
            before = self.find(identifier).told_ms
            migration = self.go_on(identifier, seconds=1.0, token=token)
            told(migration)
            if not migration.is_open:
                return migration
            if migration.state == "waiting" or migration.told_ms == before:
                if waited >= patience_s:
                    return migration
                waited += 1.0
                sleep(1.0)

    def _end_pass(self, part: _Slice, passes: int) -> Migration:
        left = part.tally.counts["left"] and not part.migration.order.dry
        ended = replace(
            part.migration,
            state="waiting" if left else "done",
            progress=part.tally.progress("", passes),
        )
        return self._note(ended)

    def _note(self, migration: Migration) -> Migration:
        now_ms = self._machine.now_ms()
        migration = replace(migration, told_ms=now_ms)
        wait_ms = LOOK_AGAIN_MS if migration.state == "waiting" else 0
        self._records.save(migration, look_ms=now_ms + wait_ms if migration.is_open else None)
        return self.find(migration.id)

    def _take_up(self, part: _Slice, batch: Sequence[PatientFields]) -> None:
        """Plan the moves of some patients, count them, and move them unless it is a dry run."""
        migration, tally = part.migration, part.tally
        concerned = [(fields, each) for fields in batch for each in self._concerned(part, fields)]
        histories = self._moves.histories([fields.id for fields, _ in concerned])
        plans = [
            found
            for (fields, each), history in zip(concerned, histories, strict=True)
            if (found := self._planned(part, fields, each, history))
        ]
        tally.counts["patients"] += len(plans)
        if migration.order.dry:
            answers: list[Answer] = [
                "busy" if each.moving.subscription.flight else "ok" for each in plans
            ]
        else:
            moving = [each.moving for each in plans]
            answers = self._moves.move(moving, migration=migration.id, source=migration.by)
        for found, answer in zip(plans, answers, strict=True):
            tally.counts[_COUNTED[answer]] += 1
            if answer == "ok" or migration.order.dry:
                tally.add(found, self._late(part, found))

    def _late(self, part: _Slice, found: Planned) -> Outlook | None:
        """What becomes of the late steps of one; None where there are none that go now."""
        if not found.move.late or found.moving.subscription.status is not Status.ACTIVE:
            return None
        return late(found, part.versions, self._business.now_ms())

    def _concerned(self, part: _Slice, fields: PatientFields) -> Iterator[Subscription]:
        order = part.migration.order
        for each in fields.subscriptions():
            if (each.series, each.version) != (order.series, order.old):
                continue
            went_on = fields.text(f"m{each.number}")
            if went_on and went_on.partition("|")[2] == part.migration.id:
                part.tally.counts["patients"] += 1
                part.tally.counts["moved"] += 1
            elif not went_on and each.status in _UNDER_WAY and not each.left:
                yield each

    def _planned(
        self,
        part: _Slice,
        fields: PatientFields,
        subscription: Subscription,
        history: Sequence[HistoryEntry],
    ) -> Planned | None:
        """The plan of one; None where it is not of the clinics meant, or cannot be made."""
        now_ms, clinics = self._business.now_ms(), part.migration.order.clinics
        try:
            patient = self._patients.contact(fields)
            if clinics and patient.clinic not in clinics:
                return None
            return planned(fields, subscription, patient, history, part.versions, now_ms)
        except (AftervisitError, ScheduleError) as error:
            log.error("not_planned", subscription=subscription.id, fault=str(error))
            part.tally.counts["unreadable"] += 1
            return None


def _versions(order: Order) -> Versions:
    """The two versions.

    Raises:
        InvalidInput: one is not published, or they are the same.
    """
    if order.old == order.new:
        raise InvalidInput("to", "version_same", "Give two versions: there is nothing to move to.")
    try:
        old = load_series(order.series, order.old)
        return Versions(old, load_series(order.series, order.new))
    except ScheduleError as error:
        raise InvalidInput("version", "version_unknown", f"{error}.") from None
