"""A patient's timeline, a fortnight at a time: deliveries, replies, consents, and who did what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schedules.calendar import zone_of
from service.clock import BusinessClock, from_ms
from service.reporting.events import Event
from service.reporting.explain import Explain
from service.reporting.lines import Line
from service.store.patients import Patients

DAYS: Final = timedelta(days=14)
"""On a page: of a store in which much happens, more would take too long to read."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page of the timeline.

    Attributes:
        first: its first day, on the patient's calendar.
        last: its last, included.
        told: in the order of time, the newest first.
        older: last day of the page before it; None where nothing was before.
        newer: last day of the page after it; None where this is the newest.
    """

    first: date
    last: date
    told: tuple[Line | Event, ...]
    older: date | None
    newer: date | None


class Timeline:
    """The use case behind the patient's page in the console."""

    def __init__(self, patients: Patients, explain: Explain, business: BusinessClock) -> None:
        self._patients = patients
        self._explain = explain
        self._business = business

    def of(self, identifier: str, last: date | None = None) -> Stretch:
        """A fortnight, up to a day; without one up to the patient's today.

        Replies are told with their own words. What is still to come is not told: see ``coming``.

        Raises:
            NotFound: there is no such patient.
            SeriesError: a series version that the patient is in is not installed.
            KeyMissing: something was encrypted under a key that is not in the ring.
        """
        fields = self._patients.load(identifier)
        zone = zone_of(self._patients.contact(fields).timezone)
        now = from_ms(self._business.now_ms()).astimezone(zone)
        today = now.date()
        # The day before the enrolment is told: how they joined.
        began = from_ms(fields.enrolled_ms).astimezone(zone).date() - timedelta(days=1)
        end = min(max(last or today, began), today)
        first = max(end - DAYS + timedelta(days=1), began)
        told = [
            each
            for each in self._explain.between(identifier, first, end, texts=True)
            if isinstance(each, Event) or each.ended is not None
        ]
        return Stretch(
            first=first,
            last=end,
            told=tuple(reversed(told)),
            older=first - timedelta(days=1) if first > began else None,
            newer=min(end + DAYS, today) if end < today else None,
        )
