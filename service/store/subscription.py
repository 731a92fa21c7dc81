"""A patient in a series: its status, its place, its flight, and what is tried again beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """A subscription's status; the value is what is stored."""

    PENDING = "n"
    ACTIVE = "a"
    PAUSED = "p"
    COMPLETED = "c"
    OPTED_OUT = "o"
    UNREACHABLE = "x"
    MOVED = "m"
    """It went on as another subscription, to another version; stored as completed."""

    @property
    def word(self) -> str:
        """The field's word for it: ``opted_out``."""
        return self.name.lower()


class FlightState(StrEnum):
    """Where a claimed subscription stands; the value is what is stored."""

    CLAIMED = "c"
    BEGUN = "b"
    IN_QUESTION = "q"
    RETRY = "r"


@dataclass(frozen=True, slots=True)
class Flight:
    """A claim on a subscription.

    Attributes:
        token: the fencing token handed out with the claim.
        due_ms: the due time it was claimed at, ms UTC (business).
        attempt: id of the begun attempt, empty before.
    """

    token: int
    state: FlightState
    due_ms: int
    attempt: str = ""

    @classmethod
    def unpack(cls, packed: str) -> Flight:
        """Read ``token|state|due|attempt|day``."""
        parts = [*packed.split("|"), "", ""]
        due = int(float(parts[2]))
        return cls(int(parts[0]), FlightState(parts[1]), due, parts[3])


@dataclass(frozen=True, slots=True)
class Again:
    """A delivery behind the cursor that is to be tried once more.

    Attributes:
        index: its step.
        was: state code that it goes back to where it is not worth another attempt any more.
        attempts: provider calls made for it so far.
        failures: how many of them failed in a way that is tried only so often.
        from_ms: business ms UTC before which it is not looked at.
    """

    index: int
    was: str
    attempts: int
    failures: int
    from_ms: int

    def field(self, number: int) -> str:
        """Its field in the patient's hash, for the subscription of that number."""
        return f"a{number}.{self.index}"

    def pack(self) -> str:
        """As stored; the scripts take what stands last as the time."""
        return f"{self.was}|{self.attempts}|{self.failures}|{self.from_ms}"

    @classmethod
    def unpack(cls, index: int, packed: str) -> Again:
        """Read what ``pack`` wrote."""
        was, attempts, failures, from_ms = packed.split("|")
        return cls(index, was, int(attempts), int(failures), int(float(from_ms)))


@dataclass(frozen=True, slots=True)
class Subscription:
    """A patient in a series.

    Attributes:
        number: 1, 2, ... within the patient.
        version: of the series, kept while the patient is under way.
        start: the first day asked for, patient's local date.
        enrolled_ms: business ms UTC.
        index: the step that comes next.
        attempts: provider calls made for that step so far.
        lost_leases: times a worker died holding it since it last moved.
        failures: how many of the attempts failed in a way that is tried only so often.
        until_ms: when its pause ends by itself, business ms UTC; None where it does not.
        left: it was stopped by itself; what is lifted from an address does not revive it.
        undoable_ms: when staff stopped it so, business ms UTC, where they may undo that; else None.
        done: later steps that the patient had before they were moved to this version.
        moved_to: number of the subscription that it went on as, in another version of the series.
        again: where `index` is that of a delivery behind the cursor, tried once more.
    """

    patient: str
    number: int
    series: str
    version: int
    start: date
    enrolled_ms: int
    status: Status
    index: int
    attempts: int
    lost_leases: int
    flight: Flight | None
    failures: int = 0
    until_ms: int | None = None
    left: bool = False
    undoable_ms: int | None = None
    done: frozenset[int] = frozenset()
    moved_to: int | None = None
    again: Again | None = None

    @property
    def tried(self) -> str:
        """``attempts|failures`` made before, as kept with an attempt; empty for none."""
        return f"{self.attempts}|{self.failures}" if self.attempts or self.failures else ""

    def turned_to(self, again: Again) -> Subscription:
        """The same at a delivery behind the cursor."""
        return replace(
            self,
            index=again.index,
            attempts=again.attempts,
            failures=again.failures,
            again=again,
        )

    @property
    def id(self) -> str:
        """``patient.number``."""
        return f"{self.patient}.{self.number}"


def pack_subscription(series: str, version: int, start: date, enrolled_ms: int) -> str:
    """The text of an ``s<n>`` field."""
    return f"{series}|{version}|{start.isoformat()}|{enrolled_ms}"
