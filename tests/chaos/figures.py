"""What a checker found: figures, and each promise that was not kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

RULES = (
    "lost",
    "doubled",
    "after opt-out",
    "outside the window",
    "flood",
    "unknown",
    "unnamed",
    "disagrees",
)
"""The names of the promises; *unknown*: of a text that the provider's list shows; *unnamed*: of
a delivery that did not go as planned, and no fault tells why; *disagrees*: record and far end."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept."""

    rule: str
    patient: str
    step: int
    detail: str


@dataclass
class Figures:
    """What a run came to."""

    deliveries: int = 0
    states: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    opt_outs: int = 0
    unknown_by_fault: Counter[str] = field(default_factory=Counter)
    skipped_by_reason: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Take another run's figures in."""
        self.deliveries += other.deliveries
        self.arrived += other.arrived
        self.opt_outs += other.opt_outs
        for name in ("states", "unknown_by_fault", "skipped_by_reason", "faults"):
            getattr(self, name).update(getattr(other, name))
        self.violations += other.violations

    def broken(self, rule: str) -> int:
        """How often a promise was not kept."""
        return sum(violation.rule == rule for violation in self.violations)
