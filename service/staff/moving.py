"""Have a patient's series begin on another day: what is left of it is planned anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from schedules.calendar import local_date
from service.clock import BusinessClock, from_ms
from service.dispatch.standing import profile_of
from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.reporting.coming import coming
from service.reporting.lines import Line
from service.staff.subscriptions import NothingToChange
from service.store.changes import PatientChanges
from service.store.patients import Patients
from service.store.records import PatientFields, Status, Subscription

FURTHEST: Final = timedelta(days=366)
MOVABLE: Final = frozenset({Status.ACTIVE, Status.PAUSED, Status.PENDING})
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Move:
    """A series as it would be, or is, from another day.

    Attributes:
        subscription: as it is to be.
        coming: what is left of it, in order, with its new times.
    """

    subscription: Subscription
    coming: tuple[Line, ...]


class Moving:
    """The use case behind the console and the API."""

    def __init__(
        self, patients: Patients, changes: PatientChanges, business: BusinessClock
    ) -> None:
        self._patients = patients
        self._changes = changes
        self._business = business

    def preview(self, identifier: str, number: int, start: date) -> Move:
        """What would come, and when, if a subscription began on a day; nothing is changed.

        Raises:
            InvalidInput: the day cannot be, and which can.
            NotFound: there is no such patient or subscription.
            NothingToChange: it has ended, or begins on that day already.
        """
        fields = self._patients.load(identifier)
        return self._moved(fields, self._subscription(fields, number), start)

    def move(self, identifier: str, number: int, start: date, *, source: str) -> Move:
        """Do it. What was sent stays sent; what is left keeps its order and its days apart.

        Raises:
            InvalidInput: as for `preview`.
            NotFound: as for `preview`.
            NothingToChange: as for `preview`.
            StoreUnavailable: not recorded, or others go on changing the same record.
        """
        for _ in range(TRIES):
            fields = self._patients.load(identifier)
            subscription = self._subscription(fields, number)
            moved = self._moved(fields, subscription, start)
            match self._changes.move(subscription, start, source=source):
                case "ok":
                    return moved
                case "over":
                    raise NothingToChange("The series has ended meanwhile.")
        raise StoreUnavailable("The patient's record keeps changing; try again.")

    def _subscription(self, fields: PatientFields, number: int) -> Subscription:
        subscription = fields.subscription(number)
        if subscription is None or subscription.moved_to is not None:
            raise NotFound("The patient has no such subscription.")
        if subscription.status not in MOVABLE:
            raise NothingToChange(
                f"The series {subscription.series} is {subscription.status.word.replace('_', ' ')}:"
                f" there is nothing left of it to move."
            )
        return subscription

    def _moved(self, fields: PatientFields, subscription: Subscription, start: date) -> Move:
        patient = self._patients.contact(fields)
        profile = profile_of(patient, fields.reachable() or frozenset(patient.channels))
        now = from_ms(self._business.now_ms())
        # A series cannot have begun before the patient was in it.
        first = local_date(profile, from_ms(subscription.enrolled_ms))
        last = local_date(profile, now) + FURTHEST
        if not first <= start <= last:
            raise InvalidInput(
                "start", "start_out_of_range", f"Give a day from {first} to {last} (its first day)."
            )
        if start == max(first, subscription.start):
            raise NothingToChange(f"The series begins on {start} already.")
        moved = replace(subscription, start=start, flight=None)
        return Move(moved, tuple(coming(fields, moved, profile, now)))
