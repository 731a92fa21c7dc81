"""P6: everything is due in the same second, and what the naive design makes of the same."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Self

from service.bootstrap import Core
from service.store.keys import PartitionKeys
from tests.bench.installation import WORKER_PROCESSES, running_installation, text_settings
from tests.bench.naive import running_naive
from tests.bench.report import Curve, Line, Part, Row, limit
from tests.bench.sinks import Sink, running_sink
from tests.bench.sizes import Sizes
from tests.support.polling import until

FIRST_OUT_S = 1.0
WORKER_MIB = 150
AHEAD_S = 5
"""Between the start of beat and the second in which everything is due."""
NAIVE_PER_S = 800
"""Queued a second at the least; its due second is chosen by this."""
SAMPLES_PER_S = 5
SLOWEST_PER_S = 200
"""A run that is slower than this is given up."""
P1_SHARE = 0.9
EVERY = 10_000_000


@dataclass
class Watch:
    """Samples a worker's memory and what waits for it, in a thread, until it is left."""

    memory: Callable[[], Sequence[int]]
    samples: list[tuple[float, float]] = field(default_factory=list)
    _over: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak_mib(self) -> float:
        """Of the largest process."""
        return max(size for _, size in self.samples)

    def _watch(self) -> None:
        while not self._over.wait(1 / SAMPLES_PER_S):
            self.samples.append((time.time(), max(self.memory()) / 2**20))


@dataclass(frozen=True, slots=True)
class Rush:
    """What became of it.

    Attributes:
        first_s: until the first message was out, from when it was due.
        rate: messages a second from the first to the last.
        peak_mib: resident memory of the largest process of the worker.
        out: points (s since due, messages out a second).
        memory: points (s since due, MiB).
    """

    first_s: float
    rate: float
    peak_mib: float
    out: Sequence[tuple[float, float]]
    memory: Sequence[tuple[float, float]]


def rush(part: Part, directory: Path, sizes: Sizes) -> None:
    """Ours and the naive design, one after the other; P1's rate is taken from the same run."""
    ours = _ours(directory / "ours", sizes)
    naive = _naive(directory / "naive", sizes)
    what = f"{sizes.rush:,} due in the same second"
    part.rows += [
        limit("P6", f"{what}: first out", ours.first_s, FIRST_OUT_S, "s"),
        limit("P6", f"{what}: largest worker process", ours.peak_mib, WORKER_MIB, "MiB"),
        _beside("P6 naive", f"{what}: out, beside one ETA task a message", ours.rate, naive.rate),
        Row(
            "P6 naive",
            f"{what}: largest worker process, beside one ETA task a message",
            round(ours.peak_mib),
            round(naive.peak_mib),
            "MiB",
            round(naive.peak_mib / ours.peak_mib, 2),
            0,
        ),
    ]
    whole = [row.ours for row in part.rows if row.goal == "P1"]
    if whole:
        row = _beside("P6", f"{what}: out, beside P1's rate", ours.rate, whole[0], P1_SHARE)
        part.rows.insert(-2, row)
    part.curves += _curves(what, ours, naive)


def _beside(goal: str, what: str, ours: float, baseline: float, target: float = 0) -> Row:
    ratio = round(ours / baseline, 2)
    return Row(goal, what, round(ours), round(baseline), "messages/s", ratio, target)


def _curves(what: str, ours: Rush, naive: Rush) -> list[Curve]:
    since = "s since they fell due"
    labels = ("Aftervisit, two worker processes", "one ETA task a message, two worker processes")
    return [
        Curve(
            "rush",
            f"Messages out a second after {what}",
            since,
            "messages/s",
            [Line(label, each.out) for label, each in zip(labels, (ours, naive), strict=True)],
        ),
        Curve(
            "memory",
            f"Memory of the largest worker process, {what}",
            since,
            "MiB",
            [Line(label, each.memory) for label, each in zip(labels, (ours, naive), strict=True)],
        ),
    ]


def _ours(directory: Path, sizes: Sizes) -> Rush:
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, **text_settings(sink)) as installation,
    ):
        installation.warm_up("sms")
        installation.enrol(sizes.rush, "sms")
        before, due_s = sink.arrivals(), time.time() + AHEAD_S
        _postpone(installation.core, int(due_s * 1000))
        with Watch(installation.worker_memory) as watch:
            installation.start_beat()
            until(lambda: time.time() > due_s, "it is due", limit_s=AHEAD_S + 5)
            installation.finish(60 + sizes.rush / SLOWEST_PER_S)
        installation.end_beat()
        installation.verify("sms")
        return _told(sink, before, due_s, sizes.rush, watch)


def _postpone(core: Core, due_ms: int) -> None:
    """Let everything that is due now be due at an instant to come (business ms UTC)."""
    now_ms = core.business.now_ms()
    for partition in range(core.partitions):
        key = PartitionKeys(partition).due
        members = core.scripts.read_before([key], now_ms, most=EVERY)
        if members:
            core.client.zadd(key, dict.fromkeys(members, due_ms))


def _naive(directory: Path, sizes: Sizes) -> Rush:
    with (
        running_sink("twilio") as sink,
        running_naive(directory, sink, WORKER_PROCESSES) as naive,
    ):
        naive.enqueue(WORKER_PROCESSES, datetime.now(UTC))
        until(lambda: sink.created() == WORKER_PROCESSES, "the naive worker works", limit_s=30)
        before = sink.arrivals()
        due_s = time.time() + AHEAD_S + sizes.rush / NAIVE_PER_S
        with Watch(naive.memory) as watch:
            naive.enqueue(sizes.rush, datetime.fromtimestamp(due_s, UTC))
            wanted = WORKER_PROCESSES + sizes.rush
            limit_s = due_s - time.time() + 60 + sizes.rush / SLOWEST_PER_S

            def over() -> bool:
                time.sleep(0.5)
                return sink.created() >= wanted

            until(over, "the naive worker has sent everything", limit_s=limit_s)
        return _told(sink, before, due_s, sizes.rush, watch)


def _told(sink: Sink, before: Mapping[float, int], due_s: float, count: int, watch: Watch) -> Rush:
    arrived = {at - due_s: n for at, n in sink.arrivals().items() if n > before.get(at, 0)}
    arrived = {at: n for at, n in arrived.items() if at > -AHEAD_S}
    assert sum(arrived.values()) >= count, "each text at least once"
    first, last = min(arrived), max(arrived)
    seconds: Counter[int] = Counter()
    for at, number in arrived.items():
        seconds[int(at // 1)] += number
    out = [(float(second), float(seconds[second])) for second in range(int(last) + 1)]
    memory = [(at - due_s, size) for at, size in watch.samples]
    return Rush(first, count / (last - first), watch.peak_mib, out, memory)
