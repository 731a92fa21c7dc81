"""The plots of the page of figures: which figures, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from schedules.check_ins import HIGHEST
from service.inbox.understanding.intents import Intent
from service.reporting.insight.insight import View
from service.reporting.insight.spread import spread
from service.reporting.insight.tables import message_of
from service.reporting.insight.tallies import (
    GAVE_UP,
    JOINED,
    LEFT,
    Place,
    StepTally,
    standing_words,
)
from service.store.records import Channel
from service.web.console import plots
from service.web.console.plots import Boxes, Columns, Layer, Parts, Row, Rows
from service.web.when import short_day

LEAST: Final = 50
"""A message that reached fewer is not ranked by who left after it."""
LEAST_LEFT: Final = 3
"""Nor is one after which fewer left: that may be chance."""
MOST_ROWS: Final = 10
_REACHED: Final = ("delivered", "sent", "unknown")
_STACK: Final = (*_REACHED, "failed")


class Plots:
    """Makes the plots of a view.

    Args:
        say: the words of the page.
    """

    def __init__(self, view: View, say: Mapping[str, str], language: str) -> None:
        self._view = view
        self._say = say
        self._language = language
        self._labels = [self._day(day) for day in view.rows]

    def _day(self, day: date) -> str:
        return short_day(day, self._language)

    def deliveries(self, channel: Channel) -> Columns:
        """What became of messages of a channel, over time."""
        outcomes = [tally.outcomes(channel) for tally in self._view.rows.values()]
        layers = [
            Layer(key, self._say[key], [getattr(each, key) for each in outcomes]) for key in _STACK
        ]
        return plots.columns(self._labels, layers)

    def people(self) -> Columns:
        """Who joined, upwards, and who left, downwards."""
        events = [tally.events for tally in self._view.rows.values()]
        joined = Layer("plain", self._say["joined"], [each[JOINED] for each in events])
        left = Layer("failed", self._say["left"], [each[LEFT] for each in events], below=True)
        some = [each[GAVE_UP] for each in events]
        gave_up = Layer("unknown", self._say["gave_up"], some, below=True)
        return plots.columns(self._labels, [joined, left, gave_up])

    def leaving(self) -> Rows:
        """Messages after which people left, by their share of those whom they reached."""
        found = []
        for place, step in self._view.steps.items():
            gone, reached = step.events[LEFT] + step.events[GAVE_UP], step.outcomes.reached
            if gone >= LEAST_LEFT and reached >= LEAST:
                part = gone / reached
                said = self._say["leaving_said"].format(
                    share=plots.share(part), count=plots.count(gone), of=plots.count(reached)
                )
                found.append(Row(self._step(place), part, said))
        return plots.rows(sorted(found, key=lambda row: -row.value)[:MOST_ROWS])

    def _step(self, place: Place) -> str:
        series, version, number = place
        message = message_of(series, version, number) or series
        return self._say["step"].format(number=number + 1, message=message)

    def funnel(self) -> tuple[str, Columns] | None:
        """The steps of the version that came up most: its name, and what became of each step."""
        by_version: dict[tuple[str, int], dict[int, StepTally]] = {}
        for (series, version, number), step in self._view.steps.items():
            if number >= 0 and step.outcomes.over:
                by_version.setdefault((series, version), {})[number] = step
        if not by_version:
            return None
        (series, version), steps = max(
            by_version.items(),
            key=lambda item: sum(step.outcomes.over for step in item[1].values()),
        )
        outcomes = [step.outcomes for step in steps.values()]
        layers = [
            Layer("delivered", self._say["step_reached"], [each.reached for each in outcomes]),
            Layer("failed", self._say["failed"], [each.failed for each in outcomes]),
            Layer("skipped", self._say["skipped"], [each.skipped for each in outcomes]),
        ]
        name = self._say["version"].format(series=series, version=version)
        return name, plots.columns([str(number + 1) for number in steps], layers)

    def severity(self) -> list[tuple[str, Boxes]]:
        """Ratings by weeks since the start, for each question."""
        found = []
        for topic, by_week in self._view.ratings.items():
            given = []
            for week in range(max(by_week, default=0) + 1):
                one = spread(by_week.get(week, {}))
                said = (
                    ""
                    if one is None
                    else self._say["severity_said"].format(
                        week=week,
                        median=f"{one.median:g}",
                        mean=f"{one.mean:.1f}",
                        low=f"{one.low:g}",
                        high=f"{one.high:g}",
                        count=plots.count(one.count),
                    )
                )
                given.append((str(week), said, one))
            found.append((self._say.get(topic, topic), plots.boxes(given, HIGHEST)))
        return found

    def completion(self) -> list[Parts]:
        """How everybody stands who was enrolled in a version of a series."""
        kinds = {
            "active": "plain", "paused": "sent", "completed": "delivered",
            "opted_out": "failed", "unreachable": "unknown", "moved": "moved", "erased": "skipped",
        }  # fmt: skip
        return [
            Parts(
                self._say["version"].format(series=series, version=version),
                tuple(
                    (kinds[word], self._say[word], counts[letter])
                    for letter, word in standing_words().items()
                    if counts[letter]
                ),
            )
            for (series, version), counts in self._view.standings.items()
        ]

    def replies(self) -> Rows:
        """What patients wrote, by what was understood."""
        words = [tally.words for tally in self._view.rows.values()]
        every = sum(each[""] for each in words) or 1
        found = []
        for intent in Intent:
            number = sum(each[intent.value] for each in words)
            if number:
                said = self._say["share_said"].format(
                    count=plots.count(number), share=plots.share(number / every)
                )
                found.append(Row(self._say[intent.value], number, said))
        return plots.rows(sorted(found, key=lambda row: -row.value))

    def forecast(self) -> Columns:
        """What is expected on each of the next days."""
        days = [day for day in self._view.expected if day > self._view.span.today]
        expected = [self._view.expected[day] for day in days]
        layers = [
            Layer("delivered", self._say["expected_texts"], [each.texts for each in expected]),
            Layer("sent", self._say["expected_emails"], [each.emails for each in expected]),
        ]
        return plots.columns([self._day(day) for day in days], layers)
