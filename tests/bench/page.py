"""The page of benchmarks, written of what was measured last, with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.charts import draw_all
from tests.bench.report import PARTS, Part, Row, saved, told

HEADINGS = {
    "goals": "Speed",
    "peers": "Beside another queue",
    "memory": "Memory",
}
_TOP = """\
# Benchmarks

This page is written by a tool: run the commands below and then
`.venv/bin/python -m tests.bench --no-run --write docs/benchmarks.md`. What is measured, and how,
stands in [What `make bench` measures](explanation/benchmarks.md). More is better in every ratio: a
speed beside its baseline, or a limit beside what was used of it. A figure of one machine says
little; the ratios of one run are what counts.
"""


def write_page(path: Path, results: Path) -> None:
    """Write the page and its pictures, the latter to ``images`` beside it.

    Args:
        path: of the page.
        results: where the parts are kept.
    """
    parts = {part.name: part for part in saved(results)}
    sections = [_TOP]
    for name, command in PARTS.items():
        sections.append(f"## {HEADINGS[name]}\n")
        if name not in parts:
            sections.append(f"Not measured on this machine; `{command}` does that.\n")
            continue
        pictures = draw_all(parts[name].curves, path.parent / "images")
        sections.append(_section(parts[name], {n: f"images/{p.name}" for n, p in pictures.items()}))
    path.write_text("\n".join(sections), encoding="utf-8")


def _section(part: Part, pictures: dict[str, str]) -> str:
    lines = [f"{part.when}, on {part.machine}.", "", "```", part.command, "```", ""]
    lines += _table(part.rows)
    for note in part.notes:
        lines += ["", note]
    for curve in part.curves:
        lines += ["", f"![{curve.title}]({pictures[curve.name]})", "", f"*{curve.title}.*"]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| goal | what | ours | beside | unit | ratio | target |",
        "|---|---|---:|---:|---|---:|---:|",
    ]
    for row in rows:
        beside = told(row.baseline) if row.baseline else ""
        ratio = f"{row.ratio:.2f}" if row.ratio else ""
        target = f"{row.target:.2f}" if row.target else ""
        cells = (row.goal, row.what, told(row.ours), beside, row.unit, ratio, target)
        lines.append(f"| {' | '.join(cells)} |")
    return lines
