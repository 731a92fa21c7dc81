"""The figures as tables, for people under each plot and for spreadsheets as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schedules.errors import SeriesError
from schedules.series import load_series
from service.inbox.understanding.intents import Intent
from service.reporting.insight.insight import View
from service.reporting.insight.spread import spread
from service.reporting.insight.tallies import (
    CAME_BACK,
    GAVE_UP,
    JOINED,
    LEFT,
    STOPPED,
    UNREACHED,
    Outcomes,
    standing_words,
)
from service.spreadsheets import lines
from service.store.records import CHANNELS

Cell = str | int | float | date | None
"""None where there is nothing to tell of."""
OUTCOMES: Final = ("delivered", "sent", "unknown", "failed", "skipped", "waiting")
_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; the columns' names stay, for what reads them.

    Attributes:
        name: one of `TABLES`.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """The table as CSV (RFC 4180); shares are parts of one, nothing is an empty cell."""
        return lines([self.columns, *self.rows])


def outcomes_row(outcomes: Outcomes) -> tuple[int, ...]:
    """Figures in the order of `OUTCOMES`."""
    return tuple(int(getattr(outcomes, name)) for name in OUTCOMES)


def deliveries(view: View) -> Table:
    """What became of messages, by day (or by week) and channel; none: skipped before one."""
    rows: list[tuple[Cell, ...]] = []
    for day, tally in view.rows.items():
        rows += [(day, channel, *outcomes_row(tally.outcomes(channel))) for channel in CHANNELS]
        nowhere = Outcomes.of(tally.states.get("", {}))
        if any(outcomes_row(nowhere)):
            rows.append((day, "none", *outcomes_row(nowhere)))
    first = "day" if view.span.is_daily else "week"
    return Table("deliveries", (first, "channel", *OUTCOMES), tuple(rows))


def people(view: View) -> Table:
    """Who joined and who left, by day or by week."""
    columns = {
        "joined": JOINED,
        "left": LEFT,
        "gave_up_a_channel": GAVE_UP,
        "stopped_by_staff": STOPPED,
        "unreachable": UNREACHED,
        "came_back": CAME_BACK,
    }
    first = "day" if view.span.is_daily else "week"
    rows: list[tuple[Cell, ...]] = []
    for day, tally in view.rows.items():
        rows.append((day, *(tally.events[what] for what in columns.values())))
    return Table("people", (first, *columns), tuple(rows))


def steps(view: View) -> Table:
    """Each step: for how many it came up, what became of it, and who left after it."""
    columns = ("series", "version", "step", "message", "came_up", *OUTCOMES)
    rows: list[tuple[Cell, ...]] = []
    for (series, version, number), step in view.steps.items():
        outcomes = step.outcomes
        left, gave_up = step.events[LEFT], step.events[GAVE_UP]
        share = round((left + gave_up) / outcomes.reached, 4) if outcomes.reached else None
        came_up = outcomes.over + outcomes.waiting
        if not (came_up or left or gave_up):
            continue
        place = (series, version, number + 1 if number >= 0 else None)
        told = (*place, message_of(series, version, number), came_up, *outcomes_row(outcomes))
        rows.append((*told, left, gave_up, share))
    more = ("left_after_it", "gave_up_a_channel_after_it", "share_that_left")
    return Table("steps", (*columns, *more), tuple(rows))


def message_of(series: str, version: int, number: int) -> str | None:
    """The message of a step; None before the first, and where the version is not installed."""
    try:
        return load_series(series, version).steps[number].message if number >= 0 else None
    except (SeriesError, IndexError):
        return None


def severity(view: View) -> Table:
    """How patients rate how they are, by weeks since their start."""
    rows: list[tuple[Cell, ...]] = []
    for topic, by_week in view.ratings.items():
        for week, counts in by_week.items():
            found = spread(counts)
            if found is not None:
                mean = round(found.mean * _PARTS) / _PARTS
                rows.append((topic, week, found.count, mean, found.low, found.median, found.high))
    columns = ("question", "week", "answers", "mean", "lower_quartile", "median", "upper_quartile")
    return Table("severity", columns, tuple(rows))


def completion(view: View) -> Table:
    """How the subscriptions of each version of a series stand now."""
    words = standing_words()
    rows: list[tuple[Cell, ...]] = []
    for (series, version), counts in view.standings.items():
        ended = sum(counts[letter] for letter in "cox")
        share = round(counts["c"] / ended, 4) if ended else None
        rows.append((series, version, counts.total(), *(counts[letter] for letter in words), share))
    columns = (
        "series",
        "version",
        "enrolled",
        *words.values(),
        "share_of_the_ended_that_completed",
    )
    return Table("completion", columns, tuple(rows))


def replies(view: View) -> Table:
    """What patients wrote, by what was understood; one message may be several things."""
    every = sum(tally.words[""] for tally in view.rows.values())
    rows: list[tuple[Cell, ...]] = [("all", every, 1.0 if every else None)]
    for intent in Intent:
        count = sum(tally.words[intent.value] for tally in view.rows.values())
        rows.append((intent.value, count, round(count / every, 4) if every else None))
    return Table("replies", ("understood_as", "messages", "share"), tuple(rows))


def forecast(view: View) -> Table:
    """What is expected on each of the next days."""
    currencies = sorted({name for each in view.expected.values() for name in each.cost})
    rows: list[tuple[Cell, ...]] = []
    for day, each in view.expected.items():
        if day > view.span.today:
            told = (each.texts, each.segments, each.emails, each.newcomers)
            costs = (round(each.cost.get(currency, 0.0), 2) for currency in currencies)
            rows.append((day, *(round(part, 1) for part in told), *costs))
    named = (f"cost_{currency.lower()}" for currency in currencies)
    columns = ("day", "texts", "segments", "emails", "to_those_who_may_join", *named)
    return Table("forecast", columns, tuple(rows))


TABLES: Final[Mapping[str, Callable[[View], Table]]] = {
    table.__name__: table
    for table in (deliveries, people, steps, severity, completion, replies, forecast)
}
"""Each table by its name, in the order of the page."""


def tables(view: View) -> Iterator[Table]:
    """All tables of a view."""
    for make in TABLES.values():
        yield make(view)
