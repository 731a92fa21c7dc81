"""The time that figures are of: whole weeks, so that all of a page are of the same days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WEEKS: Final = (4, 13, 52)
"""How many weeks one may look at: about a month, a quarter, a year."""
DAILY_WEEKS: Final = 4
"""Up to so many weeks are told day by day, more week by week."""
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Some weeks, the present one the last of them.

    Attributes:
        weeks: how many.
        today: the clinic's local date; nothing after it is told.
    """

    weeks: int
    today: date

    @property
    def first(self) -> date:
        """A Monday."""
        return monday(self.today) - _WEEK * (self.weeks - 1)

    @property
    def is_daily(self) -> bool:
        """Whether it is told day by day."""
        return self.weeks <= DAILY_WEEKS

    def mondays(self) -> tuple[date, ...]:
        """The first day of each week."""
        return tuple(self.first + _WEEK * number for number in range(self.weeks))

    def days(self) -> tuple[date, ...]:
        """Each day up to today."""
        count = (self.today - self.first).days + 1
        return tuple(self.first + timedelta(days=number) for number in range(count))


def monday(day: date) -> date:
    """The first day of a day's week."""
    return day - timedelta(days=day.weekday())
