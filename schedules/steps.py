"""What a series is made of."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final, Literal

from schedules.check_ins import Trend
from schedules.errors import SeriesError

Channel = Literal["sms", "email"]
Kind = Literal["drip", "service"]
CatchUp = Literal["skip", "latest", "spread"]

CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email")
KINDS: Final[tuple[Kind, ...]] = ("drip", "service")
CATCH_UPS: Final[tuple[CatchUp, ...]] = ("skip", "latest", "spread")

_AT: Final = re.compile(
    r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)|bedtime(-(?P<minus>\d{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class At:
    """The time of day of a step: an hour of the clock, the patient's bedtime, or enrolment."""

    kind: Literal["clock", "bedtime", "enrolment"]
    clock: time = time(0)
    minus_minutes: int = 0

    @classmethod
    def parse(cls, text: str) -> "At":
        """Read "10:00", "bedtime", "bedtime-45" (minutes before it) or "enrolment".

        Raises:
            SeriesError: The text is none of these.
        """
        if text == "enrolment":
            return cls("enrolment")
        found = _AT.fullmatch(text)
        if found is None:
            raise SeriesError(
                f'"{text}" is not a time: write "10:00", "bedtime", "bedtime-45" or "enrolment"'
            )
        if found["hour"] is None:
            return cls("bedtime", minus_minutes=int(found["minus"] or 0))
        return cls("clock", clock=time(int(found["hour"]), int(found["minute"])))

    def __str__(self) -> str:
        if self.kind == "clock":
            return f"{self.clock:%H:%M}"
        return f"{self.kind}-{self.minus_minutes}" if self.minus_minutes else self.kind


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a series.

    `day` counts from the anchor date (0 is the anchor itself); `channel` is the preferred one;
    a `drip` counts towards the patient's caps, a `service` message does not. A patient whose
    check-ins go as `unless` says is spared the step.
    """

    id: str
    message: str
    day: int
    at: At
    channel: Channel
    expires_after: timedelta
    kind: Kind = "drip"
    unless: Trend | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """How a series is called, and how often it says it writes, in one language."""

    language: str
    title: str
    frequency: str


@dataclass(frozen=True, slots=True)
class Series:
    """A published version of a series. Steps are in order; published versions never change."""

    name: str
    version: int
    title: str
    frequency: str
    nightly: bool
    catch_up: CatchUp
    steps: tuple[Step, ...]
    wording: tuple[Wording, ...] = ()

    def words(self, language: str) -> Wording:
        """Return the title and the frequency in a language, or else in English."""
        for words in self.wording:
            if words.language == language:
                return words
        return Wording("en", self.title, self.frequency)
