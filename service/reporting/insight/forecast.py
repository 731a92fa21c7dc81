"""How many messages are to come, and what they will cost: from counts, never patient by patient.

Who is active is counted by day one of their series, so that each step's day is known for all of
them at once. How many of those who come to a step get it, and by which channel, is taken from what
became of that step lately.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from schedules.errors import SeriesError
from schedules.series import load_series
from schedules.steps import Series, Step
from service.clinics import Clinic
from service.reporting.insight.tallies import Place, StepTally

ENOUGH: Final = 20
"""Of a step that came up for fewer, nothing is concluded: it is taken to go out as planned."""
Beginnings = Mapping[tuple[str, int, date], int]


@dataclass(frozen=True, slots=True)
class Rate:
    """How a step goes out.

    Attributes:
        reaches: share of those for whom it comes up that get it.
        by_text: share of these that get it as a text.
    """

    reaches: float
    by_text: float


def rate_of(step: Step, seen: StepTally | None) -> Rate:
    """How a step goes out, by what became of it lately, or else as the series has it."""
    planned = 1.0 if step.channel == "sms" else 0.0
    if seen is None or seen.outcomes.over < ENOUGH:
        return Rate(1.0, planned)
    texts, mails = seen.reached_by("sms"), seen.reached_by("email")
    by_text = texts / (texts + mails) if texts + mails >= ENOUGH else planned
    return Rate(seen.outcomes.reached / seen.outcomes.over, by_text)


@dataclass(slots=True)
class Expected:
    """What is expected to go out in some time.

    Attributes:
        texts: messages by text; ``segments`` as they are paid; ``emails`` by e-mail.
        newcomers: of all these messages, those to patients who have yet to join.
        cost: by currency, of what has a price.
        unpriced: whether nobody has told what some of it costs.
    """

    texts: float = 0.0
    segments: float = 0.0
    emails: float = 0.0
    newcomers: float = 0.0
    cost: dict[str, float] = field(default_factory=dict)
    unpriced: bool = False

    @property
    def messages(self) -> float:
        """Of both channels."""
        return self.texts + self.emails

    def add(self, other: Expected) -> None:
        """Take in what is expected of another time."""
        self.texts += other.texts
        self.segments += other.segments
        self.emails += other.emails
        self.newcomers += other.newcomers
        for currency, amount in other.cost.items():
            self.cost[currency] = self.cost.get(currency, 0.0) + amount
        self.unpriced = self.unpriced or other.unpriced


@dataclass(frozen=True, slots=True)
class OfClinic:
    """What a clinic's forecast is made of.

    Attributes:
        clinic: None where it has left the clinics file.
        beginnings: active subscriptions by series, version and day one.
        joined: series -> who joined it in the last ``JOINED_DAYS``.
    """

    clinic: Clinic | None
    beginnings: Beginnings
    joined: Mapping[str, int]


JOINED_DAYS: Final = 28


class Forecaster:
    """Tells what is to come.

    Args:
        seen: what became of each step lately.
        segments_of: how many segments a message's text takes.
    """

    def __init__(
        self, seen: Mapping[Place, StepTally], segments_of: Callable[[str], float]
    ) -> None:
        self._seen = seen
        self._segments_of = segments_of

    def days(self, clinics: Sequence[OfClinic], today: date, count: int) -> dict[date, Expected]:
        """What is expected on each day: today, and ``count`` days after it.

        Today's holds what has gone out already; nobody who has yet to join is in it.
        """
        found = {today + timedelta(days=ahead): Expected() for ahead in range(count + 1)}
        for of in clinics:
            for (name, version, day_one), active in of.beginnings.items():
                series = _series(name, version)
                for number, step in enumerate(series.steps if series else ()):
                    day = day_one + timedelta(days=step.day)
                    if day in found and series is not None:
                        found[day].add(self._one(of.clinic, series, number, active))
            self._add_newcomers(found, of, today)
        return found

    def _add_newcomers(self, found: Mapping[date, Expected], of: OfClinic, today: date) -> None:
        """Those who will join, were as many to join each day as did lately."""
        for name, joined in of.joined.items():
            series, a_day = _series(name, None), joined / JOINED_DAYS
            for number, step in enumerate(series.steps if series else ()):
                if series is None or joined <= 0:
                    continue
                one = self._one(of.clinic, series, number, a_day)
                one.newcomers = one.messages
                for day in found:
                    if day - timedelta(days=step.day) > today:
                        found[day].add(one)

    def _one(self, clinic: Clinic | None, series: Series, number: int, count: float) -> Expected:
        """What one step makes of some patients."""
        step = series.steps[number]
        rate = rate_of(step, self._seen.get((series.name, series.version, number)))
        texts = count * rate.reaches * rate.by_text
        emails = count * rate.reaches - texts
        one = Expected(texts, texts * self._segments_of(step.message), emails)
        prices = clinic.prices if clinic else None
        if prices is not None:
            cost = one.segments * float(prices.sms_segment) + emails * float(prices.email)
            one.cost[prices.currency] = cost
        one.unpriced = prices is None and one.messages > 0
        return one


def _series(name: str, version: int | None) -> Series | None:
    """A version of a series, the newest where none is named; None where it is not installed."""
    try:
        return load_series(name, version)
    except SeriesError:
        return None
