"""One run: enrol, send, do faults to it in an order that a seed decides, let it end, judge it."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from service.store.keys import PartitionKeys
from tests.chaos.checker import check
from tests.chaos.deck import COOL_S, EVERY, HEAVY, deck
from tests.chaos.evidence import dump_store
from tests.chaos.faults import Chaos, pass_time
from tests.chaos.figures import Figures
from tests.chaos.installation import Installation, running_installation
from tests.chaos.roster import BY_BOTH, PLACES, STEPS, enrol
from tests.support.polling import until
from tests.support.system import kill

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

STALL_S = 1.0
"""A run that stands still for this long gets its next fault without waiting for a message."""
LOOK_S = 0.25
END_S = 120.0
PROOF_S = 60.0
PROOF_AGAIN_S = 2 * 3_600
"""Longer than an unknown text is ever left alone."""
LEAVE_S = 40.0


@dataclass(frozen=True)
class Plan:
    """What a run is to be.

    Attributes:
        faults: kind -> how many.
        source: a tree whose packages the service runs instead of its own.
        settings: further environment variables of the service, without their prefix.
        prepare: done once all is enrolled, before anything is sent.
        both: the share of patients who can be reached both ways.
        moved: whether the clock of the service can be moved.
        places: in how many time zones patients live: each has a bedtime of its own.
    """

    seed: int
    patients: int
    faults: Mapping[str, int] = field(default_factory=dict)
    workers: int = 2
    source: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Installation], None] | None = None
    both: float = BY_BOTH
    moved: bool = True
    places: int = len(PLACES)


@dataclass
class Ran:
    """How a run ended: what the checker found, and what was left of the deck."""

    figures: Figures
    left_over: Counter[str]


def end_with_parent() -> None:
    """In a process that does runs: be interrupted when who started it is gone, and end it all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def run(plan: Plan, directory: Path) -> Ran:
    """Do one run in a directory; what it leaves there can be judged again."""
    draw = random.Random(plan.seed)
    with running_installation(
        directory, source=plan.source, settings=plan.settings, moved=plan.moved
    ) as installation:
        people = enrol(installation, draw, plan.patients, both=plan.both, places=plan.places)
        if plan.prepare is not None:
            plan.prepare(installation)
        chaos = Chaos(installation, draw, list(people))
        installation.start_all(plan.workers, 2 if plan.faults else 1)
        until(installation.web_answers, "the web part listens", limit_s=60)
        cards = deck(draw, plan.faults)
        left = _inject(chaos, cards, plan.patients * STEPS)
        chaos.calm()
        stuck = _await_end(installation)
        if plan.moved:
            pass_time(installation, PROOF_AGAIN_S)
        figures = _await_proof(installation)
        _let_go(installation)
    if stuck:
        print(f"chaos: not over after {END_S:g} s: {stuck}", file=sys.stderr)  # noqa: T201
    return Ran(figures, left)


class Far:
    """Counts what has arrived, as its logs grow."""

    def __init__(self, directory: Path) -> None:
        self._paths = (directory / "provider.jsonl", directory / "mail.jsonl")
        self._read = [0, 0]
        self.arrived = 0

    def count(self) -> int:
        """How many messages the far ends have taken."""
        for place, path in enumerate(self._paths):
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(self._read[place])
                new = file.read()
            self._read[place] += len(new)
            self.arrived += new.count(b'"outbound-api"') + new.count(b'"sender": "tips@')
        return self.arrived


def _inject(chaos: Chaos, cards: list[str], deliveries: int) -> Counter[str]:
    """Spread the cards over the messages of a run; what could not be done any more."""
    far = Far(chaos.installation.directory)
    every = max(1.0, 0.85 * deliveries / max(1, len(cards)))
    cooling: dict[str, float] = {}
    done, seen, moved_at = 0, 0, time.monotonic()
    arrived_at = moved_at
    waiting = list(reversed(cards))
    looked_at = 0.0
    while waiting:
        arrived, now = far.count(), time.monotonic()
        if now - looked_at > LOOK_S:
            looked_at = now
            chaos.installation.supervise()
            if over(chaos.installation):
                break
        if arrived > seen:
            seen, moved_at, arrived_at = arrived, now, now
        if now - arrived_at > END_S:
            break
        stands = seen > 0 and now - moved_at >= STALL_S
        kind = _next(waiting, cooling, now, skip=HEAVY if stands else ())
        if kind is None or not seen or (arrived < done * every and not stands):
            waiting += [kind] if kind else []
            time.sleep(0.01)
            continue
        if not EVERY[kind](chaos):
            waiting.insert(0, kind)
        cooling[kind] = now + COOL_S.get(kind, 0.0)
        done, moved_at = done + 1, time.monotonic()
    return Counter(waiting)


def _next(
    waiting: list[str], cooling: Mapping[str, float], now: float, skip: Collection[str]
) -> str | None:
    """Take the topmost card whose kind may be done just now."""
    for place in range(len(waiting) - 1, -1, -1):
        kind = waiting[place]
        if cooling.get(kind, 0.0) <= now and kind not in skip:
            return waiting.pop(place)
    return None


def over(installation: Installation) -> bool:
    """Whether nothing is due and nothing in flight."""
    pipeline = installation.core.client.pipeline(transaction=False)
    for partition in range(installation.core.partitions):
        keys = PartitionKeys(partition)
        pipeline.zcard(keys.due)
        pipeline.zcard(keys.held)
    try:
        return not any(pipeline.execute())
    except redis.RedisError:
        return False


def _await_end(installation: Installation) -> str:
    def ended() -> bool:
        installation.supervise()
        return over(installation)

    try:
        until(ended, "everything is over", limit_s=END_S)
    except AssertionError as error:
        return str(error)
    return ""


def _await_proof(installation: Installation) -> Figures:
    """Judge; a text that is unknown though the provider has it may still be found out for a while.

    Proof is looked for again after a quarter of the time that an attempt is old, or after an hour.
    Where the clock can be moved, it has been set ahead by more than that.
    """
    limit = time.monotonic() + PROOF_S
    while True:
        dump_store(installation.store.url, installation.directory / "store.jsonl")
        figures = check(installation.directory)
        if not figures.broken("unknown") or time.monotonic() > limit:
            return figures
        time.sleep(1.0)


def _let_go(installation: Installation) -> None:
    """End all parts; those that were asked to end before must have done so by themselves."""
    for process in installation.leaving:
        process.wait(LEAVE_S)
    for process in (*installation.workers, *installation.beats):
        kill(process)
