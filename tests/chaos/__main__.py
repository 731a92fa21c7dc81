"""The chaos suite in its long form: rounds on several installations side by side.

    python -m tests.chaos --deliveries 50000 --each 200

Each round is an installation of its own with its own seed, drawn from the run's. It goes on until
there were enough deliveries and enough of each kind of fault. Progress goes to stderr, the table
to stdout, everything to build/chaos.json. A round that broke a promise is kept under build/chaos/.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from math import ceil
from multiprocessing import get_context
from pathlib import Path

from tests.chaos.deck import EVERY
from tests.chaos.figures import Figures, Violation
from tests.chaos.report import as_json, page, table
from tests.chaos.roster import STEPS
from tests.chaos.run import Plan, Ran, end_with_parent, run

BUILD = Path("build").absolute()
ROUND = 2_500
"""Deliveries of a round: so many that its nights are busy, so few that it can be looked at."""


@dataclass
class Long:
    """A long run under way.

    Attributes:
        wanted: how many of each kind of fault are still to be done.
    """

    options: argparse.Namespace
    draw: random.Random
    wanted: Counter[str]
    figures: Figures = field(default_factory=Figures)
    planned: int = 0
    rounds: int = 0

    def next_round(self) -> tuple[Plan, Path] | None:
        """The next round's plan, None where no more is needed."""
        lacking = self.options.deliveries - self.planned
        if lacking <= 0 and not +self.wanted:
            return None
        patients = ceil(min(ROUND, max(lacking, ROUND // 2)) / STEPS / self.share)
        rest = max(1, ceil(max(lacking, 1) / ROUND))
        faults = Counter({kind: ceil(count / rest) for kind, count in (+self.wanted).items()})
        self.wanted -= faults
        self.planned += int(patients * STEPS * self.share)
        self.rounds += 1
        plan = Plan(seed=self.draw.getrandbits(32), patients=patients, faults=faults)
        return plan, BUILD / "chaos" / f"round-{self.rounds:03d}-{plan.seed}"

    @property
    def share(self) -> float:
        """How many of a patient's steps come to be deliveries, those who leave counted in."""
        return 0.85

    def take(self, ran: Ran, directory: Path) -> None:
        """Count a round in; it is kept only where a promise was broken."""
        self.figures.add(ran.figures)
        self.wanted += ran.left_over
        if not ran.figures.violations and not self.options.keep:
            shutil.rmtree(directory)


def main() -> int:
    """Run; 1 where a promise was broken."""
    options = _options()
    began = time.monotonic()
    kinds = options.only.split(",") if options.only else list(EVERY)
    long = Long(options, random.Random(options.seed), Counter(dict.fromkeys(kinds, options.each)))
    _say(f"seed {options.seed}")
    (BUILD / "chaos").mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ProcessPoolExecutor(
        options.lanes, mp_context=get_context("spawn"), initializer=end_with_parent
    ) as pool:
        _rounds(long, pool, began)
    command = f"python -m tests.chaos --deliveries {options.deliveries} --each {options.each}"
    command += f" --seed {options.seed}"
    found = as_json(long.figures, seed=options.seed, seconds=round(time.monotonic() - began))
    (BUILD / "chaos.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(table(found))  # noqa: T201 - the answer
    if options.write:
        options.write.write_text(page(found, command), "utf-8")
    for violation in long.figures.violations[:20]:
        _say(str(violation))
    return 1 if long.figures.violations else 0


def _rounds(long: Long, pool: ProcessPoolExecutor, began: float) -> None:
    running: dict[Future[Ran], Path] = {}
    while True:
        while len(running) < long.options.lanes:
            following = long.next_round()
            if following is None:
                break
            plan, directory = following
            running[pool.submit(run, plan, directory)] = directory
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            directory = running.pop(future)
            long.take(_ended(future, directory), directory)
            _say(_progress(long, directory, time.monotonic() - began))


def _ended(future: Future[Ran], directory: Path) -> Ran:
    """How a round ended; one that could not even run has broken something too."""
    error = future.exception()
    if error is None:
        return future.result()
    failed = Violation("lost", directory.name, -1, f"the round failed: {error!r}")
    return Ran(Figures(violations=[failed]), Counter())


def _progress(long: Long, directory: Path, seconds: float) -> str:
    figures = long.figures
    return (
        f"{seconds:6.0f} s  {directory.name}: {figures.deliveries} deliveries, "
        f"{sum(figures.faults.values())} faults, {figures.states['x']} unknown, "
        f"{len(figures.violations)} promises broken"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=50_000)
    parser.add_argument("--each", type=int, default=200, help="of each kind of fault at least")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--lanes", type=int, default=2, help="installations side by side")
    parser.add_argument("--only", help="kinds of fault, with commas between them")
    parser.add_argument("--keep", action="store_true", help="keep the logs of every round")
    parser.add_argument("--write", type=Path, help="also write the figures as a page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
