"""What was measured: as a table, as JSON, and kept so that a page can be written of all of it.

Each tool keeps its part in ``build/bench/<part>.json``; ``build/bench.json`` holds the rows of all
parts that were run.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.machine import describe

BUILD = Path(__file__).parents[2] / "build"
PARTS = {
    "goals": "make bench",
    "peers": "make bench-peers",
    "memory": "make bench-memory",
}
"""Parts in the order in which they are shown, and what measures them."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run.

    Attributes:
        rate: messages a second.
        cpu_us: microseconds of CPU a message, by what used them.
    """

    rate: float
    cpu_us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its baseline, as ``build/bench.json`` has it.

    Attributes:
        goal: its name in the list of goals, ``P1``; ``P1 aim`` for what is no goal but told.
        unit: of both figures.
        ratio: such that more is better.
        target: the least ratio aimed at; 0 where the figure is only told.
    """

    goal: str
    what: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    target: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a picture: its label, and points (x, y)."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A picture.

    Attributes:
        name: of its file, without ``bench-`` and ``.svg``.
        title: the sentence above it, which is also its text for who cannot see it.
        logarithmic: whether x grows by factors.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Sequence[Line]
    logarithmic: bool = False


@dataclass
class Part:
    """Everything that one tool has measured in one go."""

    name: str
    command: str
    machine: str
    when: str
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def save(self, results: Path) -> None:
        """Keep it in a folder, and write its ``bench.json`` anew."""
        (results / "bench").mkdir(parents=True, exist_ok=True)
        path = results / "bench" / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
        rows = [asdict(row) for part in saved(results) for row in part.rows]
        (results / "bench.json").write_text(json.dumps(rows, indent=2) + "\n")


def new_part(name: str, command: str, directory: Path) -> Part:
    """An empty part, of this machine and of now.

    Args:
        name: one of `PARTS`.
        command: what repeats it.
        directory: on the disk whose syncs count.
    """
    return Part(name, command, describe(directory), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def saved(results: Path) -> list[Part]:
    """The parts measured so far, in order."""
    found = []
    for name in PARTS:
        path = results / "bench" / f"{name}.json"
        if path.exists():
            kept = json.loads(path.read_text())
            kept["rows"] = [Row(**row) for row in kept["rows"]]
            for curve in kept["curves"]:
                curve["lines"] = [Line(**line) for line in curve["lines"]]
            kept["curves"] = [Curve(**curve) for curve in kept["curves"]]
            found.append(Part(**kept))
    return found


def rates(goal: str, what: str, ours: Sequence[Run], baseline: Sequence[Run], target: float) -> Row:
    """The medians of the rates, and their ratio."""
    own, bare = (statistics.median(run.rate for run in runs) for runs in (ours, baseline))
    return Row(goal, what, round(own), round(bare), "messages/s", round(own / bare, 2), target)


def limit(goal: str, what: str, ours: float, most: float, unit: str) -> Row:
    """A figure that should stay below a limit; the ratio is 1 at the limit."""
    return Row(goal, what, _rounded(ours), most, unit, _rounded(most / ours), 1.0)


def _rounded(figure: float) -> float:
    return float(f"{figure:.3g}")


def told(figure: float) -> str:
    """A figure as tables show it."""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def show(part: Part) -> None:
    """Print the table."""
    table = Table(title="Each figure beside its baseline or limit; a ratio is the better the more")
    table.add_column("goal")
    table.add_column("what", overflow="fold", ratio=1)
    for name in ("ours", "beside", "unit", "ratio", "target"):
        table.add_column(name, justify="right")
    for row in part.rows:
        target = f"{row.target:.2f}" if row.target else ""
        ratio = f"{row.ratio:.2f}" if row.ratio else ""
        beside = told(row.baseline) if row.baseline else ""
        figures = (told(row.ours), beside, row.unit, ratio, target)
        table.add_row(row.goal, row.what, *figures)
    console = Console(width=110, highlight=False)
    console.print(table)
    for note in part.notes:
        console.print(note)
    console.print(f"On {part.machine}.")
    console.print(f"Again: {part.command}")


def tell(name: str, run: Run) -> Run:
    """Print a run as soon as it is over."""
    parts = ", ".join(f"{part} {us:.0f}" for part, us in run.cpu_us.items())
    print(f"{name}: {run.rate:,.0f}/s; µs of CPU a message: {parts}", flush=True)  # noqa: T201
    return run
