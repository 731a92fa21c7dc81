"""Runs the parts of the service as children of one command: start, restart, stop together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

import structlog

log = structlog.get_logger(__name__)

PARTS = ("web", "worker", "beat")
"""What the service consists of, each a command of its own."""
RESTART_BASE_S = 0.5
RESTART_CAP_S = 30.0
STEADY_S = 60.0
"""A part that ran this long before it ended starts again without waiting."""
SUPERVISOR_VARIABLE = "AFTERVISIT_SUPERVISOR"
PR_SET_PDEATHSIG = 1
"""From Linux's ``prctl.h``."""
STOP_S = 25.0
"""Longer than a drain under way; after it a part that still runs is killed."""


@dataclass(slots=True)
class Part:
    """One child.

    Attributes:
        failures: ends in quick succession, for the back-off.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    retry_at: float = 0.0


@dataclass
class Supervisor:
    """Keeps parts running until it is closed; a context manager.

    Attributes:
        output: where the parts' stderr goes (a file descriptor), None for ours.
    """

    output: int | None = None
    parts: list[Part] = field(default_factory=list)

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a part."""
        part = Part(name, command, environment)
        self.parts.append(part)
        self._start(part)

    def _start(self, part: Part) -> None:
        # A session of its own, so that Ctrl-C reaches us alone and we end the parts in order.
        part.process = subprocess.Popen(  # noqa: S603 - our own command
            list(part.command),
            env={**os.environ, **part.environment, SUPERVISOR_VARIABLE: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.output,
            start_new_session=True,
        )
        part.started = time.monotonic()

    def watch(self) -> None:
        """Start what has ended again, with a growing wait where it keeps ending."""
        now = time.monotonic()
        for part in self.parts:
            if part.process is None:
                if now >= part.retry_at:
                    self._start(part)
            elif part.process.poll() is not None:
                code = part.process.returncode
                part.failures = 0 if now - part.started > STEADY_S else part.failures + 1
                wait = min(RESTART_CAP_S, RESTART_BASE_S * 2.0 ** min(part.failures, 10))
                log.error("part_ended", part=part.name, code=code, again_in_s=wait)
                part.process, part.retry_at = None, now + wait

    def failing(self) -> str | None:
        """The name of a part that ends again and again, if there is one."""
        hopeless = 3
        return next((part.name for part in self.parts if part.failures >= hopeless), None)

    def close(self, *names: str) -> None:
        """End the named parts, or all: told the last one first, all at once, then waited for."""
        ending = [part for part in self.parts if part.name in names or not names]
        running = [part.process for part in reversed(ending) if part.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.parts[:] = [part for part in self.parts if part not in ending]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def own_command(*arguments: str) -> list[str]:
    """Our own command line, run by this very interpreter."""
    return [sys.executable, "-m", "service.cli", *arguments]


def follow_parent() -> None:
    """In a supervised part: end when the supervisor is gone, however it went (Linux).

    Otherwise parts that outlive a killed ``up`` would hold its port, and the next one's would fail.
    """
    supervisor = os.environ.pop(SUPERVISOR_VARIABLE, None)
    if supervisor is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it was gone before we asked
        raise SystemExit(0)


class Interrupted(Exception):
    """Somebody asked this process to end."""


def raise_on_signals() -> Callable[[], None]:
    """Turn SIGTERM and SIGINT into `Interrupted` in the main thread; returns the undoing."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)
    }

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo
