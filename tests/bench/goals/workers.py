"""The other half of P9: throughput by the number of worker processes, beside bare loops."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from tests.bench.installation import running_installation, text_settings
from tests.bench.loops import measure_loop
from tests.bench.report import Curve, Line, Part, Row, tell
from tests.bench.sinks import running_sink
from tests.bench.sizes import Sizes


def workers(part: Part, directory: Path, sizes: Sizes) -> None:
    """Send the same number with one, two and four worker processes."""
    ours: dict[int, float] = {}
    bare: dict[int, float] = {}
    for number in sizes.workers:
        with (
            running_sink("twilio") as sink,
            running_installation(
                directory / str(number),
                sink,
                WORKER_PROCESSES=str(number),
                **text_settings(sink),
            ) as installation,
        ):
            installation.warm_up("sms")
            runs = [installation.run(sizes.texts // 2, "sms") for _ in range(sizes.repeats)]
            ours[number] = statistics.median(tell(f"P9 {number} workers", r).rate for r in runs)
            loop = measure_loop("sdk", sink.port, sizes.texts // 2, processes=number)
            bare[number] = tell(f"P9 {number} bare loops", loop).rate
    few, many = sizes.workers[0], sizes.workers[-1]
    cores = os.cpu_count() or 1
    for number in sizes.workers:
        what = f"SMS, {number} worker processes on {cores} cores, beside {few}"
        ratio = round(ours[number] / ours[few], 2)
        figures = (round(ours[number]), round(ours[few]))
        if number != few:
            part.rows.append(Row("P9 workers", what, *figures, "messages/s", ratio, 0))
    part.curves.append(
        Curve(
            "workers",
            f"Messages a second by the number of processes, on {cores} cores",
            "processes",
            "messages/s",
            [
                Line("whole way", list(ours.items())),
                Line("bare loops with the SDK as it comes", list(bare.items())),
            ],
        )
    )
    assert many in bare
