"""Check that a series is one we can promise: order, caps, times, expiry, and honest words."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol

from schedules.calendar import MIN_VALIDITY, VALIDITY_MARGIN
from schedules.errors import SeriesError
from schedules.quiet_hours import load_quiet_hours
from schedules.series import read_series, series_files
from schedules.steps import Series, Step

DRIPS_A_WEEK: Final = 5
"""Most messages of a series in seven days, so that two series fit under the patient's cap."""

SHORTEST_EXPIRY: Final = timedelta(minutes=30)
LONGEST_EXPIRY: Final = timedelta(days=60)
SHORTEST_WAIT: Final = timedelta(days=2)
"""A step that may be caught up with, or a service message, is worth at least the next two days."""

_WEEKLY: Final = re.compile(r"about (\d+) messages? a week for (\d+) weeks?")
_NIGHTLY: Final = re.compile(r"1 message an evening for (\d+) evenings")


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a series breaks: where, which rule, and what to do about it."""

    where: str
    rule: str
    detail: str


class Described(Protocol):
    """What lint needs to know of a message of the library."""

    @property
    def name(self) -> str:
        """The message's name, by which steps refer to it."""

    @property
    def strand(self) -> str:
        """Its strand: lifestyle, sleep, follow_up or service."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that it is written in."""


def lint_all(catalog: Iterable[Described], root: Path | None = None) -> list[Problem]:
    """Check every series file of a directory; one that cannot be read is a problem as well."""
    messages = tuple(catalog)
    problems: list[Problem] = []
    for path in series_files(root):
        try:
            problems += lint_series(read_series(path), messages)
        except SeriesError as fault:
            detail = str(fault).removeprefix(f"{path.name}: ")
            problems.append(Problem(path.name, "series-file", detail))
    return problems


def lint_series(series: Series, catalog: Iterable[Described]) -> list[Problem]:
    """Return what is wrong with a series, in the order of its steps; nothing where all is well."""
    messages = tuple(catalog)
    strands = {message.name: message.strand for message in messages}
    name = f"{series.name}.v{series.version}"
    found = [(name, rule, detail) for rule, detail in _whole(series)]
    found += [(name, rule, detail) for rule, detail in _wording(series, messages)]
    for step in series.steps:
        where = f"{name}: {step.id}"
        found += [(where, rule, detail) for rule, detail in _message(step, strands)]
        found += [(where, rule, detail) for rule, detail in _times(step, series)]
    return [Problem(*each) for each in found]


def _whole(series: Series) -> Iterator[tuple[str, str]]:
    yield from _opening(series)
    yield from _repeats(series)
    yield from _days(series)
    yield from _frequency(series)


def _opening(series: Series) -> Iterator[tuple[str, str]]:
    first = series.steps[0]
    shape = (first.message, first.kind, first.day, first.at.kind, first.channel)
    if shape != ("welcome", "service", 0, "enrolment", "sms"):
        yield (
            "opening",
            (
                'begin with the message "welcome", kind service, day 0, at "enrolment", by sms: '
                "the first text must say who writes, how often, and how to stop"
            ),
        )
    for step in series.steps[1:]:
        if step.at.kind == "enrolment":
            yield "opening", f'{step.id}: only the first step is at "enrolment": give it a time'


def _repeats(series: Series) -> Iterator[tuple[str, str]]:
    for what, names in (
        ("id", [step.id for step in series.steps]),
        ("message", [step.message for step in series.steps]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"one-{what}", f"{name} is there more than once: keep one"


def _days(series: Series) -> Iterator[tuple[str, str]]:
    following = series.steps[1:]
    for before, after in pairwise(following):
        if after.day <= before.day:
            yield "one-a-day", f"{after.id}: day {after.day} does not come after {before.id}'s"
        elif series.nightly and after.day != before.day + 1:
            yield "nightly", f"{after.id}: a nightly series leaves out no night"
    if series.nightly:
        return
    for step in following:
        week = [each for each in following if step.day <= each.day < step.day + 7]
        if len(week) > DRIPS_A_WEEK:
            count = f"{len(week)} messages in the seven days from day {step.day}"
            yield "week", f"{count}: at most {DRIPS_A_WEEK}"


def _frequency(series: Series) -> Iterator[tuple[str, str]]:
    messages = len(series.steps) - 1
    days = series.steps[-1].day + 1
    weekly = _WEEKLY.fullmatch(series.frequency)
    nightly = _NIGHTLY.fullmatch(series.frequency)
    if weekly is not None:
        rate, weeks = int(weekly[1]), int(weekly[2])
        if weeks != -(-days // 7) or abs(messages / weeks - rate) > 1 / 2:
            yield (
                "frequency",
                f'"{series.frequency}", but there are {messages} messages in {days} days',
            )
    elif nightly is None:
        yield (
            "frequency",
            'write "about N messages a week for N weeks" or "1 message an evening for N evenings"',
        )
    elif not series.nightly or int(nightly[1]) != messages:
        yield "frequency", f'"{series.frequency}", but there are {messages} messages'
    for words in series.wording:
        if re.findall(r"\d+", words.frequency) != re.findall(r"\d+", series.frequency):
            yield "frequency", f"{words.language}: other numbers than in English: make them agree"


def _wording(series: Series, messages: Iterable[Described]) -> Iterator[tuple[str, str]]:
    """Its messages name title and frequency, which would be English in the midst of theirs."""
    used = {step.message for step in series.steps}
    written = [set(message.languages) for message in messages if message.name in used]
    whole = set.intersection(*written) if written else set()
    for language in sorted(whole - {"en"} - {words.language for words in series.wording}):
        yield "wording", f"its messages are in {language!r}, too: add a [[wording]] in it"


def _message(step: Step, strands: dict[str, str]) -> Iterator[tuple[str, str]]:
    strand = strands.get(step.message)
    if strand is None:
        yield "message", f"there is no message {step.message!r} in the library: write it"
    elif strand == "service" and step.kind == "drip":
        yield "message", f"{step.message!r} is a service message: give the step that kind"


def _times(step: Step, series: Series) -> Iterator[tuple[str, str]]:
    if not SHORTEST_EXPIRY <= step.expires_after <= LONGEST_EXPIRY:
        yield "expiry", f"expires after {step.expires_after}: between 30 minutes and 60 days"
    patient = step.kind == "service" or series.catch_up != "skip"
    if patient and step.expires_after < SHORTEST_WAIT:
        yield "expiry", f"expires after {step.expires_after}: leave at least two days to send it"
    if series.nightly and step.kind == "drip" and step.expires_after >= timedelta(days=1):
        yield "expiry", "a reminder for one evening must not go on the next: less than a day"
    if step.at.kind == "clock":
        strict = load_quiet_hours().strictest(step.channel)
        latest = _earlier(strict.closes, MIN_VALIDITY + VALIDITY_MARGIN)
        if not strict.opens <= step.at.clock < latest:
            span = f"from {strict.opens:%H:%M} and before {latest:%H:%M}"
            yield "hours", f"{step.at} is not open everywhere: by {step.channel}, {span}"


def _earlier(clock: time, span: timedelta) -> time:
    left = timedelta(hours=clock.hour, minutes=clock.minute) - span
    return time(left.seconds // 3600, left.seconds // 60 % 60)
