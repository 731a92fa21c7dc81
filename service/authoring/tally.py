"""What a migration changes for whom: counted by kind and by step, with some examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from service.authoring.plans import Planned
from service.reporting.backlog import Outlook
from service.store.migrations import Progress

EXAMPLES: Final = 20
KINDS: Final = ("gets", "loses", "shifted", "changed", "late")
"""What a move may change for a patient, as in ``schedules.moving.Move``."""
OF_A_PASS: Final = ("patients", "moved", "left", "unreadable")


@dataclass
class Tally:
    """The counts of one pass over all patients.

    Attributes:
        counts: of this pass ``patients`` whom it concerns; of them ``moved``, ``left`` (in flight
            just then) and ``unreadable``. Of all passes ``unchanged`` who get the same at the same
            times, and by the names in ``KINDS`` those for whom something changes so; ``over`` for
            whom nothing is left; ``late_sent`` and ``late_passed`` messages that go late, or not
            at all.
        steps: how many get, lose, get at another time, or get late (perhaps) each step.
        examples: those for whom most changes, by the id of their subscription.
    """

    counts: Counter[str] = field(default_factory=Counter)
    steps: dict[str, Counter[str]] = field(default_factory=dict)
    examples: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, progress: Progress) -> Tally:
        """Go on from what was counted."""
        steps = {kind: Counter(found) for kind, found in progress.steps.items()}
        return cls(Counter(progress.counts), steps, list(progress.examples))

    def begin_pass(self) -> None:
        """Count anew what is counted in each pass."""
        for word in OF_A_PASS:
            self.counts.pop(word, None)

    def add(self, found: Planned, late: Outlook | None) -> None:
        """Count one subscription; ``late``: what becomes of its late steps, where it has some."""
        move = found.move
        changes = {kind: getattr(move, kind) for kind in KINDS}
        for kind, names in changes.items():
            if names:
                self.counts[kind] += 1
                self.steps.setdefault(kind, Counter()).update(names)
        if not any(changes.values()):
            self.counts["unchanged"] += 1
        if move.due is None:
            self.counts["over"] += 1
        if late is not None:
            self.counts["late_sent"] += late.sent.total()
            self.counts["late_passed"] += late.skipped.total()
        told = {"subscription": found.moving.subscription.id, **changes}
        self.examples.append(told)
        self.examples.sort(key=_weight)
        del self.examples[EXAMPLES:]

    def progress(self, place: str, passes: int) -> Progress:
        """As it is kept."""
        steps = {kind: dict(found) for kind, found in self.steps.items()}
        return Progress(place, passes, dict(self.counts), steps, tuple(self.examples))


def _weight(example: Mapping[str, Any]) -> tuple[int, str]:
    return -sum(len(example[kind]) for kind in KINDS), example["subscription"]
