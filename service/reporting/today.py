"""The day as staff see it: what goes out, hour by hour, and whether anything goes out at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import redis

from schedules.calendar import resolve, zone_of
from service.clinics import Clinic
from service.clock import BusinessClock, MachineClock, from_ms, to_ms
from service.dispatch.pulse import LATE_MS, tick_age_ms
from service.reporting.senders import SenderList, SenderStanding
from service.store.dispatching import DispatchStore

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """What is planned within one hour of the day.

    Attributes:
        begins: on the clinic's clock.
        count: subscriptions whose next message is planned in it.
    """

    begins: time
    count: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is planned for the rest of a clinic's day, of all clinics together.

    Each subscription counts once, by its next message: a patient's own hours, caps and opt-outs may
    still put it off or end it, and what comes after it is not planned yet.

    Attributes:
        day: the clinic's.
        timezone: the clinic's.
        hours: from the present one to the last of the day.
        overdue: those whose time has come and that are not under way yet.
    """

    day: date
    timezone: str
    hours: tuple[Hour, ...]
    overdue: int

    @property
    def total(self) -> int:
        """All that is planned for the rest of the day."""
        return sum(hour.count for hour in self.hours)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether messages leave.

    Attributes:
        stopped: senders that their providers refuse, of the clinics that were asked for.
        silent: no beat ticks: nothing that falls due is sent.
        tick_age_ms: machine ms since it last did; None where none ever did.
    """

    stopped: tuple[SenderStanding, ...]
    silent: bool
    tick_age_ms: int | None


class Today:
    """The use case behind the console's first page."""

    def __init__(
        self,
        client: redis.Redis,
        dispatch: DispatchStore,
        senders: SenderList,
        clinics: Mapping[str, Clinic],
        business: BusinessClock,
        machine: MachineClock,
        partitions: int,
    ) -> None:
        self._client = client
        self._dispatch = dispatch
        self._senders = senders
        self._clinics = clinics
        self._business = business
        self._machine = machine
        self._partitions = partitions

    def timezone(self, clinics: Collection[str]) -> str:
        """The zone of the first clinic of a reader that has told one.

        Args:
            clinics: that the reader sees; empty: every one.
        """
        seen = [c for c in self._clinics.values() if not clinics or c.id in clinics]
        return next((clinic.timezone for clinic in seen if clinic.timezone), "UTC")

    def outgoing(self, timezone: str) -> Outgoing:
        """What is planned from now to the end of the day in a zone.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        now = from_ms(self._business.now_ms())
        begins = hours_of_day(timezone, now)
        places = [at for at in begins if at > now]
        counts = self._dispatch.due_between(
            range(self._partitions), [to_ms(now), *map(to_ms, places)]
        )
        zone = zone_of(timezone)
        starts = [now.astimezone(zone).replace(minute=0), *(p.astimezone(zone) for p in places)]
        hours = [
            Hour(start.time().replace(second=0, microsecond=0), count)
            for start, count in zip(starts, counts[1:], strict=False)
        ]
        return Outgoing(now.astimezone(zone).date(), timezone, tuple(hours), counts[0])

    def pulse(self, clinics: Collection[str]) -> Pulse:
        """Whether messages leave now.

        Args:
            clinics: that the reader sees; empty: every one.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        age = tick_age_ms(self._client, self._machine)
        stopped = (
            each
            for each in self._senders.stopped()
            if not clinics or set(each.clinics) & set(clinics)
        )
        return Pulse(tuple(stopped), age is None or age > LATE_MS, age)


def hours_of_day(timezone: str, now: datetime) -> list[datetime]:
    """The instants at which the hours of the present day of a zone begin, and its end; UTC.

    A day whose clocks are changed has 23 or 25 of them.
    """
    zone = zone_of(timezone)
    day = now.astimezone(zone).date()
    first = resolve(datetime.combine(day, time(0)), zone)
    end = resolve(datetime.combine(day + _DAY, time(0)), zone)
    found = [first]
    while found[-1] < end:
        found.append(min(found[-1] + timedelta(hours=1), end))
    return [at.astimezone(UTC) for at in found]
