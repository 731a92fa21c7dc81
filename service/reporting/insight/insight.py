"""The figures of a clinic, or of several: what staff see of all patients together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from service.clinics import Clinic
from service.clock import BusinessClock, from_ms
from service.reporting.insight.forecast import JOINED_DAYS, Expected, Forecaster, OfClinic
from service.reporting.insight.sizes import Sizes
from service.reporting.insight.spans import Span
from service.reporting.insight.tallies import (
    JOINED,
    Place,
    Ratings,
    StepTally,
    Tally,
    beginnings,
    by_step,
    ratings,
    standings,
    tally,
)
from service.reporting.insight.zones import zones_of
from service.store.counts import NOW, Counts, Sums, day_period, week_period

FORECAST_DAYS: Final = 30
LATELY_WEEKS: Final = 13
"""What became of a step in so many weeks tells how it will go out."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a page of figures shows; all of it is of the same weeks and series.

    Attributes:
        span: the weeks.
        rows: what was counted on each day, or in the week of each Monday.
        steps: of each step.
        ratings: the answers to check-ins, by weeks since the start.
        standings: series and version -> status' letter -> subscriptions; as it is now.
        expected: what is expected today and on each of the next `FORECAST_DAYS`.
        series: names of all series that anything was counted of.
    """

    span: Span
    rows: Mapping[date, Tally]
    steps: Mapping[Place, StepTally]
    ratings: Ratings
    standings: Mapping[tuple[str, int], Counter[str]]
    expected: Mapping[date, Expected]
    series: tuple[str, ...]


class Insight:
    """The use case behind the pages of figures; it reads sums, however many patients there are."""

    def __init__(
        self,
        counts: Counts,
        clinics: Mapping[str, Clinic],
        sizes: Sizes,
        business: BusinessClock,
    ) -> None:
        self._counts = counts
        self._clinics = clinics
        self._sizes = sizes
        self._business = business

    def view(self, clinics: Sequence[str], *, series: str | None = None, weeks: int = 4) -> View:
        """The figures of some weeks.

        Args:
            clinics: ids of the clinics whose patients are told of; empty: all.
            series: only of this one; None: of all.
            weeks: how many, the present one included.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        span = Span(weeks, self._today(clinics))
        lately = Span(max(weeks, LATELY_WEEKS), span.today)
        wanted = [week_period(monday) for monday in lately.mondays()]
        days = span.days() if span.is_daily else ()
        found = self._counts.read(
            clinics or None, [NOW, *wanted, *(day_period(day) for day in days)]
        )
        now, told, daily = found[0], found[1 : len(wanted) + 1], found[len(wanted) + 1 :]
        in_span = told[-weeks:]
        keys, sums = (days, daily) if span.is_daily else (span.mondays(), in_span)
        expected = self._expected(clinics, by_step(told, series), span.today, series)
        return View(
            span=span,
            rows={day: tally(each, series) for day, each in zip(keys, sums, strict=True)},
            steps=by_step(in_span, series),
            ratings=ratings(in_span, series),
            standings=standings(now, series),
            expected=expected,
            series=tuple(sorted({name for name, _ in standings(now, None)})),
        )

    def today(self, clinics: Sequence[str]) -> Tally:
        """What was counted today so far.

        Args:
            clinics: ids of the clinics whose patients are told of; empty: all.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        (sums,) = self._counts.read(clinics or None, [day_period(self._today(clinics))])
        return tally(sums, None)

    def _today(self, clinics: Sequence[str]) -> date:
        """The date on the clock of the clinic; of several, of the first."""
        of = zones_of(self._clinics)
        first = next(iter(clinics or self._clinics), "")
        return from_ms(self._business.now_ms()).astimezone(of(first)).date()

    def _expected(
        self,
        clinics: Sequence[str],
        steps: Mapping[Place, StepTally],
        today: date,
        series: str | None,
    ) -> dict[date, Expected]:
        """Clinic by clinic, since each has prices of its own."""
        forecaster = Forecaster(steps, self._sizes.segments)
        weeks = Span(JOINED_DAYS // 7 + 1, today).mondays()[:-1]
        periods = [NOW, *(week_period(monday) for monday in weeks)]
        every = []
        found = self._counts.by_clinic(clinics or None, periods)
        for clinic, (now, *lately) in found.items():
            of = self._clinics.get(clinic)
            every.append(OfClinic(of, beginnings(now, series), _joined(lately, series)))
        return forecaster.days(every, today, FORECAST_DAYS)


def _joined(weeks: Sequence[Sums], series: str | None) -> Counter[str]:
    """Series -> who joined it."""
    joined: Counter[str] = Counter()
    for (name, _, _), step in by_step(weeks, series).items():
        joined[name] += step.events[JOINED]
    return joined


def next_days(expected: Mapping[date, Expected], today: date, count: int) -> Expected:
    """What is expected in the next days together, today not included."""
    total = Expected()
    for ahead in range(1, count + 1):
        total.add(expected[today + timedelta(days=ahead)])
    return total
