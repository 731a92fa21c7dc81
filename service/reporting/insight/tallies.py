"""Sums of counts as figures: what became of deliveries, who left after which step, ratings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Final

from service.store.counts import Sums
from service.store.records import CHANNELS, LETTER, Channel, Status

_CHANNEL: Final[Mapping[str, Channel]] = {LETTER[channel]: channel for channel in CHANNELS}
JOINED, LEFT, GAVE_UP, STOPPED, UNREACHED, CAME_BACK = "n", "o", "h", "s", "x", "b"
"""What happened, as ``counting.lua`` has it."""
ERASED: Final = "z"
_DAY_EVENT: Final = 3
"""Parts of an event's field in the sums of a day; those of a week tell the step as well."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of deliveries.

    Attributes:
        delivered: the provider says that they arrived.
        sent: the provider took them, and has not said more.
        unknown: they may have arrived; nobody can tell.
        failed: refused, not deliverable, or set aside for staff.
        skipped: not sent, for a reason of ours.
        waiting: to be tried again.
    """

    delivered: int = 0
    sent: int = 0
    unknown: int = 0
    failed: int = 0
    skipped: int = 0
    waiting: int = 0

    @classmethod
    def of(cls, letters: Mapping[str, int]) -> Outcomes:
        """From counts by the letters of ``delivery.State``."""
        return cls(
            delivered=letters.get("d", 0),
            sent=letters.get("s", 0),
            unknown=letters.get("x", 0),
            failed=sum(letters.get(letter, 0) for letter in "fuh"),
            skipped=letters.get("k", 0),
            waiting=letters.get("p", 0),
        )

    def __add__(self, other: Outcomes) -> Outcomes:
        """Those of both."""
        names = (each.name for each in fields(self))
        return Outcomes(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def reached(self) -> int:
        """Those that reached the patient, or may have."""
        return self.delivered + self.sent + self.unknown

    @property
    def over(self) -> int:
        """All but those that are to be tried again."""
        return self.reached + self.failed + self.skipped


Letters = defaultdict[str, Counter[str]]


@dataclass(slots=True)
class Tally:
    """What was counted in some time, of one series or of all.

    Attributes:
        states: channel (empty: none was chosen) -> state's letter -> deliveries.
        events: what happened -> subscriptions.
        words: what was understood -> inbound messages; empty: all.
    """

    states: Letters = field(default_factory=lambda: defaultdict(Counter))
    events: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)

    def outcomes(self, channel: Channel | None = None) -> Outcomes:
        """Of a channel; None: of all, also of what was skipped before a channel was chosen."""
        if channel is not None:
            return Outcomes.of(self.states.get(LETTER[channel], {}))
        total: Counter[str] = Counter()
        for letters in self.states.values():
            total.update(letters)
        return Outcomes.of(total)


def tally(sums: Sums, series: str | None) -> Tally:
    """Read the sums of a day or of a week."""
    found = Tally()
    for name, count in sums.items():
        kind, *parts = name.split("|")
        if kind == "i":
            found.words[parts[0]] += count
        elif series is not None and parts[0] != series:
            continue
        elif kind == "d":
            found.states[parts[-2]][parts[-1]] += count
        elif kind == "e":
            found.events[parts[1 if len(parts) + 1 == _DAY_EVENT else 2]] += count
    return found


Place = tuple[str, int, int]
"""A series, its version, and the number of a step, counted from 0."""


@dataclass(slots=True)
class StepTally:
    """What was counted of one step.

    Attributes:
        channels: channel's letter -> state's letter -> deliveries.
        events: what happened after it -> subscriptions.
    """

    channels: Letters = field(default_factory=lambda: defaultdict(Counter))
    events: Counter[str] = field(default_factory=Counter)

    @property
    def outcomes(self) -> Outcomes:
        """Of all channels."""
        total: Counter[str] = Counter()
        for letters in self.channels.values():
            total.update(letters)
        return Outcomes.of(total)

    def reached_by(self, channel: Channel) -> int:
        """How many reached somebody by a channel."""
        return Outcomes.of(self.channels.get(LETTER[channel], {})).reached


def by_step(weeks: Iterable[Sums], series: str | None) -> dict[Place, StepTally]:
    """What was counted of each step; who left before the first reached them is at place -1."""
    found: defaultdict[Place, StepTally] = defaultdict(StepTally)
    for sums in weeks:
        for name, count in sums.items():
            kind, *parts = name.split("|")
            if kind not in {"d", "e"} or (series is not None and parts[0] != series):
                continue
            if kind == "d":
                of, version, step, channel, state = parts
                found[of, int(version), int(step)].channels[channel][state] += count
            else:
                of, version, what, step, _ = parts
                found[of, int(version), int(step or -1)].events[what] += count
    return dict(sorted(found.items()))


Ratings = dict[str, dict[int, Counter[int]]]
"""Topic -> weeks since the start -> rating -> answers."""


def ratings(weeks: Iterable[Sums], series: str | None) -> Ratings:
    """The answers to check-ins, by weeks since each patient's start."""
    found: defaultdict[str, defaultdict[int, Counter[int]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for sums in weeks:
        for name, count in sums.items():
            kind, *parts = name.split("|")
            if kind == "c" and series in {None, parts[0]}:
                _, topic, week, rating = parts
                found[topic][int(week)][int(rating)] += count
    return {topic: dict(sorted(by_week.items())) for topic, by_week in sorted(found.items())}


def standings(now: Sums, series: str | None) -> dict[tuple[str, int], Counter[str]]:
    """Series and version -> status' letter (``z``: erased) -> subscriptions."""
    found: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for name, count in now.items():
        kind, *parts = name.split("|")
        if kind == "u" and series in {None, parts[0]}:
            of, version, status = parts
            found[of, int(version)][status] += count
    return dict(sorted(found.items()))


def beginnings(now: Sums, series: str | None) -> dict[tuple[str, int, date], int]:
    """Series, version and day one -> subscriptions that are active."""
    found: dict[tuple[str, int, date], int] = {}
    for name, count in now.items():
        kind, *parts = name.split("|")
        if kind == "a" and series in {None, parts[0]}:
            of, version, day = parts
            found[of, int(version), date.fromisoformat(day)] = count
    return found


def standing_words() -> dict[str, str]:
    """Status' letter -> word, in the order in which they are told."""
    order = (
        *(Status.ACTIVE, Status.PAUSED, Status.COMPLETED),
        *(Status.OPTED_OUT, Status.UNREACHABLE, Status.MOVED),
    )
    return {**{status.value: status.word for status in order}, ERASED: "erased"}
