"""Pictures of curves, as SVG that comes out the same for the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tests.bench.report import Curve

COLOURS = ("#0b6e4f", "#c2410c", "#1d4ed8", "#7c3aed")
MARKERS = ("o", "s", "^", "D")
"""Lines are told apart without colour too."""
FEW = 12
"""More points than these get no marker."""


def draw(curve: Curve, folder: Path) -> Path:
    """Write ``bench-<name>.svg``; its path."""
    path = folder / f"bench-{curve.name}.svg"
    # Letters as text, so that it can be read and searched; ids that do not change by themselves.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": curve.name, "font.size": 11}):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for number, line in enumerate(curve.lines):
            axes.plot(
                [x for x, _ in line.points],
                [y for _, y in line.points],
                color=COLOURS[number % len(COLOURS)],
                marker=MARKERS[number % len(MARKERS)] if len(line.points) <= FEW else None,
                label=line.label,
            )
        if curve.logarithmic:
            axes.set_xscale("log")
        if len({x for line in curve.lines for x, _ in line.points}) <= FEW:
            axes.set_xticks(sorted({x for line in curve.lines for x, _ in line.points}))
            axes.minorticks_off()
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        axes.set_ylim(0, 1.08 * max(y for line in curve.lines for _, y in line.points))
        axes.set_xlabel(curve.x)
        axes.set_ylabel(curve.y)
        axes.grid(alpha=0.3)
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Title": curve.title})
    return path


def draw_all(curves: Sequence[Curve], folder: Path) -> dict[str, Path]:
    """Write all of them; paths by the curve's name."""
    folder.mkdir(parents=True, exist_ok=True)
    return {curve.name: draw(curve, folder) for curve in curves}
