"""What a check-in says beside the ones before it: worse, better, or much the same."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from schedules.errors import ScheduleError

HIGHEST: Final = 10
SEVERE: Final = 8
"""From here on a rating calls for a talk with the clinic, whatever it was before."""
MUCH: Final = 3
"""A change of this many points is more than the ups and downs of a week. On scales of 0 to 10 a
change of about two points, or a third, is what patients notice (Farrar 2001,
doi:10.1016/S0304-3959(01)00349-9); it is rounded up, since each step has a person call."""


class Trend(StrEnum):
    """Where a patient's ratings are going; the value is what is stored, and what a series names."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


def trend(earlier: Sequence[int], rating: int) -> Trend:
    """Return what a rating says beside the earlier ones to the same question, oldest first.

    Worse: severe, or much above the one before. Better: much below the first one.

    Raises:
        ScheduleError: A rating is not within 0 to 10.
    """
    if any(not 0 <= each <= HIGHEST for each in (*earlier, rating)):
        raise ScheduleError("a rating is a whole number from 0 to 10")
    if rating >= SEVERE or (earlier and rating - earlier[-1] >= MUCH):
        return Trend.WORSE
    if earlier and earlier[0] - rating >= MUCH:
        return Trend.BETTER
    return Trend.SAME
