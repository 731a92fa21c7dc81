"""On whose clock the pages about staff tell times: their clinics', or that of everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from schedules.calendar import resolve, zone_of
from service.clinics import shared_timezone
from service.clock import from_ms, to_ms
from service.web.console.access import Visit
from service.web.language import words
from service.web.when import spoken_moment


@dataclass(frozen=True, slots=True)
class Clock:
    """Tells instants on the clock of one zone; each with the zone's own short name.

    Attributes:
        timezone: an IANA name.
        language: of who reads.
    """

    timezone: str
    language: str

    @property
    def said(self) -> str:
        """A sentence that names the zone, for the page."""
        say = words(self.language)["console_frame"]
        if self.timezone == "UTC":
            return say["clock_utc"]
        return say["clock"].format(timezone=self.timezone.replace("_", " "))

    def at(self, ms: int) -> str:
        """An instant: ``June 3, 2026, 8:05 pm PDT``; which of two that are alike in autumn, too."""
        local = from_ms(ms).astimezone(zone_of(self.timezone))
        return f"{spoken_moment(local, self.language)} {local.tzname()}"

    def midnight(self, day: date) -> int:
        """When a day begins, ms UTC."""
        return to_ms(resolve(datetime.combine(day, time(0)), zone_of(self.timezone)))


def clock_of(visit: Visit) -> Clock:
    """The clock of the clinics that a member sees, where they share one; else UTC."""
    return Clock(shared_timezone(visit.clinics), visit.language)
