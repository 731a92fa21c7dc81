"""Where a patient stands in a series: all that a decision may look at, besides the time."""

from dataclasses import dataclass
from datetime import date, datetime

from schedules.calendar import Profile
from schedules.check_ins import Trend
from schedules.plan import Nights, Planned, plan_step
from schedules.steps import Series


@dataclass(frozen=True, slots=True)
class Standing:
    """The input of `decide`: a subscription at the step `index`, and what its neighbours have done.

    `recent_drips` holds the local dates of the drips begun for this patient, in any series, over
    the last seven local days (older ones do no harm). `nights` holds `nights_of` each nightly
    subscription of the patient, active or completed; not those paused, stopped or opted out of.
    `trend` is where their check-ins are going, None before the first. `done` are steps after
    `index` that they had before they were moved to this version of the series.
    """

    series: Series
    index: int
    profile: Profile
    start: date
    enrolled_at: datetime
    recent_drips: tuple[date, ...] = ()
    nights: tuple[Nights, ...] = ()
    trend: Trend | None = None
    done: frozenset[int] = frozenset()

    def planned(self, index: int) -> Planned:
        """Return a step of the series with its time; raises ScheduleError past the last one."""
        return plan_step(self.series, index, self.profile, self.start, self.enrolled_at)

    def is_held(self, day: date) -> bool:
        """Say whether another series, a nightly one, has this local date for itself."""
        if self.series.nightly:
            return False
        return any(nights.first <= day <= nights.last for nights in self.nights)

    def held_days(self, first: date, last: date) -> int:
        """Count the dates from `first` to `last`, both included, that a nightly series has."""
        if self.series.nightly or not self.nights:
            return 0
        return len(
            {
                day
                for nights in self.nights
                for day in range(
                    max(nights.first, first).toordinal(), min(nights.last, last).toordinal() + 1
                )
            }
        )
