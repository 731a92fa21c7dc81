"""``make bench``: how fast the whole way is, beside bare loops against the same far end.

Nothing here asserts a speed: figures depend on the machine, ratios of one run are what counts.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from tests.bench.installation import (
    mail_settings,
    running_installation,
    text_settings,
)
from tests.bench.loops import measure_loop
from tests.bench.report import Row, Run, machine, row, show, write
from tests.bench.sinks import running_sink, running_smtp_sink

BUILD = Path(__file__).parents[2] / "build"


def measure_texts(directory: Path, count: int, repeats: int) -> list[Row]:
    """P1: texts into a sink without latency, two worker processes, the whole way."""
    ours: list[Run] = []
    bare: dict[str, list[Run]] = {"sdk": [], "own-client": []}
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, **text_settings(sink)) as installation,
    ):
        installation.warm_up("sms")
        for _ in range(repeats):
            before = sink.created()
            ours.append(_told("P1 ours", installation.run(count, "sms")))
            assert sink.created() - before == count, "each text once"
            for kind, runs in bare.items():
                runs.append(_told(f"P1 bare {kind}", measure_loop(kind, sink.port, count)))
    way = "SMS, no latency, two processes, whole way; beside a bare loop"
    return [
        row("P1", f"{way} with the SDK as it comes", ours, bare["sdk"], 2.0),
        row("P1 aim", f"{way} with our client, 32 in flight", ours, bare["own-client"], 0.6),
    ]


def measure_mail(directory: Path, count: int, repeats: int) -> list[Row]:
    """P3: e-mail into Postfix's sink, two worker processes, the whole way."""
    ours: list[Run] = []
    bare: list[Run] = []
    with (
        running_smtp_sink() as sink,
        running_installation(directory, sink, **mail_settings(sink)) as installation,
    ):
        installation.warm_up("email")
        for _ in range(repeats):
            ours.append(_told("P3 ours", installation.run(count, "email")))
            bare.append(_told("P3 bare smtplib", measure_loop("smtp", sink.port, count)))
    what = f"e-mail into {sink.name}, two processes; beside smtplib.sendmail of ready bytes"
    return [row("P3", what, ours, bare, 0.8)]


def _told(name: str, run: Run) -> Run:
    parts = ", ".join(f"{part} {us:.0f}" for part, us in run.cpu_us.items())
    print(f"{name}: {run.rate:,.0f}/s; µs of CPU a message: {parts}", flush=True)
    return run


def main() -> int:
    """Measure, show, and write ``build/bench.json``."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--goal", choices=("P1", "P3"), action="append", help="only this one")
    parser.add_argument("--texts", type=int, default=20_000, help="texts a run")
    parser.add_argument("--mails", type=int, default=10_000, help="e-mails a run")
    parser.add_argument("--repeats", type=int, default=3, help="runs, whose median is told")
    asked = parser.parse_args()
    goals = asked.goal or ["P1", "P3"]
    rows: list[Row] = []
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        directory = Path(folder)
        where = machine(directory)
        if "P1" in goals:
            rows += measure_texts(directory / "texts", asked.texts, asked.repeats)
        if "P3" in goals:
            rows += measure_mail(directory / "mail", asked.mails, asked.repeats)
    show(rows, where, shlex.join([".venv/bin/python", "-m", "tests.bench", *sys.argv[1:]]))
    write(rows, BUILD / "bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
