"""P7: the command that imports a file of patients: rows a second, and the memory it takes.

The whole command counts, from its start to its answer: every row is read, judged as a form is,
looked up, enrolled with evidence of consent, and on the store's disk, which syncs every write.
"""

# ruff: noqa: T201

from __future__ import annotations

import json
import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.installation import Installation, running_installation, text_settings
from tests.bench.report import Part, Row, limit, told
from tests.bench.sinks import running_sink
from tests.bench.sizes import Sizes
from tests.support.patient_files import patient, text
from tests.support.system import COMMAND

ROWS_S = 5_000
MOST_MIB = 150.0
KIB_A_MIB = 1024
LOOK_S = 0.02
LATER = "2030-01-07"
"""Their series begin when nobody measures any more."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One run of the command.

    Attributes:
        rate: rows a second.
        peak_mib: of resident memory.
    """

    rate: float
    peak_mib: float


def imports(part: Part, directory: Path, sizes: Sizes) -> None:
    """Import a small file and a large one, into an empty store each time."""
    few, many = sizes.imports
    small = _import(directory / "small", few)
    runs = [_import(directory / f"large-{turn}", many) for turn in range(sizes.repeats)]
    rate = statistics.median(run.rate for run in runs)
    peak = max(run.peak_mib for run in runs)
    what = f"a file of {many:,} patients with phone and mailbox"
    part.rows += [
        Row("P7", f"{what}, imported", round(rate), ROWS_S, "rows/s", round(rate / ROWS_S, 2), 1.0),
        limit(
            "P7",
            f"{what}: memory at its most ({told(small.peak_mib)} MiB for {few:,})",
            peak,
            MOST_MIB,
            "MiB",
        ),
    ]


def _import(directory: Path, rows: int) -> Imported:
    directory.mkdir(parents=True)
    path = directory / "patients.csv"
    people = (patient(number, visit_date=LATER) for number in range(rows))
    path.write_text(text(*people), encoding="utf-8")
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, **text_settings(sink)) as installation,
    ):
        found = _run(installation, path, rows)
    print(f"P7: {rows:,} rows at {found.rate:,.0f}/s, {found.peak_mib:.0f} MiB", flush=True)
    return found


def _run(installation: Installation, path: Path, rows: int) -> Imported:
    command = [str(COMMAND), "import", str(path), "--json"]
    command += ["--method", "written", "--wording", "2026-11"]
    answered = installation.directory / "answer.json"
    with answered.open("wb") as out, (installation.directory / "import.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=installation.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=log
        )
        peak_kib = 0
        while process.poll() is None:
            peak_kib = max(peak_kib, _peak_kib(process.pid))
            time.sleep(LOOK_S)
        took = time.monotonic() - began
    assert process.returncode == 0, (installation.directory / "import.log").read_text()
    assert json.loads(answered.read_text())["accepted"] == rows
    return Imported(rows / took, peak_kib / KIB_A_MIB)


def _peak_kib(pid: int) -> int:
    """What a process has taken at its most so far; what `wait4` tells counts its parent's too."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) if found else 0
