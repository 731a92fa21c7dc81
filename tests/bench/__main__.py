"""``make bench``: how fast the whole way is, beside bare loops and limits, all in one run.

Nothing here asserts a speed: figures depend on the machine, ratios of one run are what counts.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.goals.console import console
from tests.bench.goals.imports import imports
from tests.bench.goals.rush import rush
from tests.bench.goals.stored import stored
from tests.bench.goals.throughput import mails, slow_texts, texts
from tests.bench.goals.webhooks import webhooks
from tests.bench.goals.workers import workers
from tests.bench.memory import few
from tests.bench.page import write_page
from tests.bench.report import BUILD, Part, new_part, show
from tests.bench.sizes import QUICK, SMOKE, Sizes

GOALS: dict[str, Callable[[Part, Path, Sizes], None]] = {
    "P1": texts,
    "P2": slow_texts,
    "P3": mails,
    "P4": few,
    "P5": stored,
    "P6": rush,
    "P7": imports,
    "P8": webhooks,
    "P9": workers,
    "pages": console,
}


def main() -> int:
    """Measure, show, and keep the rows; write the page of benchmarks where asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--goal", choices=GOALS, action="append", help="only this one")
    parser.add_argument("--quick", action="store_true", help="smaller counts: some two minutes")
    parser.add_argument("--smoke", action="store_true", help="only to see that the tool works")
    parser.add_argument("--write", type=Path, help="write the page of benchmarks there")
    parser.add_argument("--results", type=Path, default=BUILD, help="where figures are kept")
    parser.add_argument("--no-run", action="store_true", help="write it of what was measured last")
    asked = parser.parse_args()
    sizes = SMOKE if asked.smoke else QUICK if asked.quick else Sizes()
    BUILD.mkdir(exist_ok=True)
    if not asked.no_run:
        _measure(asked.goal or list(GOALS), sizes).save(asked.results)
    if asked.write:
        write_page(asked.write, asked.results)
    return 0


def _measure(goals: list[str], sizes: Sizes) -> Part:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        directory = Path(folder)
        command = shlex.join([".venv/bin/python", "-m", "tests.bench", *sys.argv[1:]])
        part = new_part("goals", command, directory)
        began = time.monotonic()
        for goal in goals:
            GOALS[goal](part, directory / goal, sizes)
            print(f"{goal} done after {time.monotonic() - began:.0f} s", flush=True)
    show(part)
    return part


if __name__ == "__main__":
    sys.exit(main())
