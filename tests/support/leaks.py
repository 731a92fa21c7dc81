"""Every log that the suite wrote, searched for the patients that it used.

A pytest plugin (see ``tests/conftest.py``). What is stored of a patient passes ``Patient.pack``:
names and addresses are noted there. What our code logs in the tests' own processes is kept in a
file, before any redaction; processes that tests start write files of their own. When all is over,
whoever collects the results searches them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from service.store.records import Patient

KEPT: Final = "in-process.log"
PEOPLE: Final = "patients.json"
LOGS: Final = ("*.log", "*.err", "*stderr*", "*stdout*")
STORES: Final = frozenset({"server.log", "valkey.log"})
"""What Redis and Valkey write themselves: of what they hold they log nothing."""
SHORTEST_NAME: Final = 4
"""Shorter ones are made by chance, or stand in any line."""
_PARTS: Final = re.compile(r"[\w.%+-]+@[\w.-]+|\d{8,15}|[^\W\d_]+")
_WORDS: Final = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")


class Leaks:
    """Notes patients and keeps logs, in the directory of one process of the suite."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._told: set[str] = set()
        self._pack: Callable[[Patient], bytes] = Patient.pack

    def begin(self) -> None:
        """From now on; logs that a test configures itself are its own business."""

        def pack(patient: Patient) -> bytes:
            self._told.update(words_of(patient))
            return self._pack(patient)

        Patient.pack = pack  # type: ignore[method-assign, assignment]
        kept = (self._directory / KEPT).open("a", encoding="utf-8", errors="replace")
        structlog.configure(
            processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
            logger_factory=structlog.WriteLoggerFactory(file=kept),
        )
        self._kept = kept

    def end(self) -> None:
        """Write down who was used."""
        Patient.pack = self._pack  # type: ignore[method-assign, assignment]
        structlog.reset_defaults()
        self._kept.close()
        (self._directory / PEOPLE).write_text(json.dumps(sorted(self._told)), "utf-8")


def words_of(patient: Patient) -> Iterator[str]:
    """What a log must not hold of somebody: addresses, and a name that is not made by chance."""
    if patient.phone and patient.phone[1:].isdigit():
        yield patient.phone[1:]
    if patient.email and "@" in patient.email:
        yield patient.email
    name = patient.given_name
    if len(name) >= SHORTEST_NAME and name[0].isupper() and _WORDS.fullmatch(name):
        yield name


def found(directory: Path) -> list[str]:
    """Lines of logs below a directory that tell of the patients noted there, with their files."""
    people = {word for file in directory.rglob(PEOPLE) for word in json.loads(file.read_text())}
    logs = {path for form in LOGS for path in directory.rglob(form) if path.is_file()} - {
        path for path in directory.rglob("*.log") if path.name in STORES
    }
    return list(_lines(sorted(logs), people))


def _lines(logs: Iterable[Path], people: set[str]) -> Iterator[str]:
    # Names as they are written: Late is somebody, late is a word.
    whole = people | {word.casefold() for word in people if not word.isalpha()}
    for log in logs:
        for line in log.read_text("utf-8", errors="replace").splitlines():
            parts = set(_PARTS.findall(line)) | set(_PARTS.findall(line.casefold()))
            for leaked in sorted(parts & whole):
                yield f"{log.name}: {leaked!r} in {line[:300]}"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin in every process that runs tests."""
    if _runs_tests(session.config):
        leaks = Leaks(_directory(session.config))
        leaks.begin()
        session.config.stash[_LEAKS] = leaks


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End, and in the process that collects the results search everything."""
    leaks = session.config.stash.get(_LEAKS, None)
    if leaks is not None:
        leaks.end()
    if not hasattr(session.config, "workerinput"):
        leaked = found(_directory(session.config))
        session.config.stash[_FOUND] = leaked
        if leaked and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401
    """Say which lines tell of patients."""
    for line in config.stash.get(_FOUND, [])[:20]:
        terminalreporter.write_line(f"PATIENT DATA IN A LOG: {line}", red=True)


_LEAKS: Final = pytest.StashKey[Leaks]()
_FOUND: Final = pytest.StashKey[list[str]]()


def _runs_tests(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput") or not config.getoption("numprocesses", None)


def _directory(config: pytest.Config) -> Path:
    factory = config._tmp_path_factory  # type: ignore[attr-defined]
    base: Path = factory.getbasetemp()
    return base
