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

    def add(self, other: Expected, times: float = 1.0) -> None:
        """Take in what else is expected, so many times."""
        self.texts += other.texts * times
        self.segments += other.segments * times
        self.emails += other.emails * times
        self.newcomers += other.newcomers * times
        for currency, amount in other.cost.items():
            self.cost[currency] = self.cost.get(currency, 0.0) + amount * times
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
        self._known: dict[tuple[str, str, int | None], list[tuple[int, Expected]]] = {}

    def days(self, clinics: Sequence[OfClinic], today: date, count: int) -> dict[date, Expected]:
        """What is expected on each day: today, and ``count`` days after it.

        Today's holds what has gone out already; nobody who has yet to join is in it.
        """
        found = [Expected() for _ in range(count + 1)]
        for of in clinics:
            for (name, version, day_one), active in of.beginnings.items():
                begun = (today - day_one).days
                for day, one in self._steps(of.clinic, name, version):
                    if 0 <= day - begun <= count:
                        found[day - begun].add(one, active)
            self._add_newcomers(found, of)
        return {today + timedelta(days=ahead): each for ahead, each in enumerate(found)}

    def _add_newcomers(self, found: Sequence[Expected], of: OfClinic) -> None:
        """Those who will join, were as many to join each day as did lately."""
        for name, joined in of.joined.items():
            coming, together = sorted(self._steps(of.clinic, name, None), key=_day), Expected()
            for ahead in range(1, len(found)):
                # Who joins tomorrow comes to the steps of day 0 then, and to the others later.
                while coming and coming[0][0] < ahead:
                    together.add(coming.pop(0)[1])
                together.newcomers = together.messages
                found[ahead].add(together, joined / JOINED_DAYS)

    def _steps(
        self, clinic: Clinic | None, name: str, version: int | None
    ) -> list[tuple[int, Expected]]:
        """The day of each step of a series, and what it makes of one patient."""
        known = (clinic.id if clinic else "", name, version)
        if known not in self._known:
            series = _series(name, version)
            self._known[known] = [
                (step.day, self._one(clinic, series, number))
                for number, step in enumerate(series.steps if series else ())
                if series is not None
            ]
        return self._known[known]

    def _one(self, clinic: Clinic | None, series: Series, number: int) -> Expected:
        step = series.steps[number]
        rate = rate_of(step, self._seen.get((series.name, series.version, number)))
        texts = rate.reaches * rate.by_text
        emails = rate.reaches - texts
        one = Expected(texts, texts * self._segments_of(step.message), emails)
        prices = clinic.prices if clinic else None
        if prices is not None:
            cost = one.segments * float(prices.sms_segment) + emails * float(prices.email)
            one.cost[prices.currency] = cost
        one.unpriced = prices is None and one.messages > 0
        return one


def _day(step: tuple[int, Expected]) -> int:
    return step[0]


def _series(name: str, version: int | None) -> Series | None:
    """A version of a series, the newest where none is named; None where it is not installed."""
    try:
        return load_series(name, version)
    except SeriesError:
        return None
