"""``make bench`` at its smallest: it measures, keeps rows, and writes its page and pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fakes.launch import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ROW = {"goal", "what", "ours", "baseline", "unit", "ratio", "target"}


def bench(module: str, *words: str) -> str:
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.mark.timeout(300)
def test_the_bench_measures_and_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    goals = ("--goal", "P1", "--goal", "P5")
    results = ("--results", str(tmp_path))
    told = bench("tests.bench", "--smoke", *goals, *results, "--write", str(page))
    assert "Again: .venv/bin/python -m tests.bench --smoke" in told
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert {row["goal"] for row in rows} == {"P1", "P1 aim", "P5", "P9"}
    assert all(set(row) == ROW and row["ratio"] > 0 for row in rows)
    text = page.read_text()
    for row in rows:
        assert f"| {row['goal']} | {row['what']} |" in text
    assert "Not measured on this machine; `make bench-memory` does that." in text
    for name in ("stored", "cost"):
        assert f"images/bench-{name}.svg" in text
        picture = page.parent / "images" / f"bench-{name}.svg"
        assert picture.read_text().rstrip().endswith("</svg>")


@pytest.mark.timeout(300)
def test_the_memory_of_a_patient_is_within_its_limit(tmp_path: Path) -> None:
    """Of a few patients; what the server takes once and for all is spread over them."""
    few = ("--patients", "4000", "--server", "valkey", "--results", str(tmp_path))
    bench("tests.bench.memory", *few)
    rows = json.loads((tmp_path / "bench.json").read_text())
    ratios = {row["goal"]: row["ratio"] for row in rows if row["goal"] != "P4 beside"}
    by_phone = next(row for row in rows if "a patient with a phone, " in row["what"])
    assert by_phone["ratio"] >= 1.0
    assert ratios["P4 history"] >= 1.0
