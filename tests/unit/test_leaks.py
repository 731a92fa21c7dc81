"""The search through the suite's logs finds what it is for, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.leaks import KEPT, PEOPLE, found


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Not where the suite's own logs are searched for."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "sent", "to": "+15035550123"}',
        "GET /p?phone=15035550123",
        "for ana.p@example.com, now",
        "Dear Mariela, how are",
        "for ANA.P@EXAMPLE.COM",
    ],
)
def test_a_line_that_tells_of_a_patient_is_found(elsewhere: Path, line: str) -> None:
    _wrote(elsewhere, f"a line before\n{line}\n")
    assert found(elsewhere) == [f"{KEPT}: {_word(line)!r} in {line}"]


def _word(line: str) -> str:
    return next(
        word
        for word in ("15035550123", "ana.p@example.com", "Mariela")
        if word in line or word in line.casefold()
    )


@pytest.mark.parametrize(
    "line", ["+15035550199", "nana.p@example.com", "Marielas", "mariela", "150355501234"]
)
def test_a_line_that_tells_of_nobody_is_not(elsewhere: Path, line: str) -> None:
    _wrote(elsewhere, line)
    assert found(elsewhere) == []


def _wrote(directory: Path, log: str) -> None:
    (directory / "gw0" / "test0").mkdir(parents=True)
    people = ["15035550123", "ana.p@example.com", "Mariela"]
    (directory / "gw0" / PEOPLE).write_text(json.dumps(people))
    (directory / "gw0" / "test0" / KEPT).write_text(log)
