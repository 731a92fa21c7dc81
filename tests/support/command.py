"""The command ``aftervisit``, in a process of its own or, where many are run, in the test's."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

COMMAND = Path(sys.executable).parent / "aftervisit"


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes:
        code: its exit code.
        out: what it wrote to stdout.
        err: what it wrote to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:  # noqa: ANN401 - whatever the command answers
        """Its stdout as JSON."""
        return json.loads(self.out)

    def failed(self, code: int) -> str:
        """The one line a command that failed has written."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("aftervisit: ")
        return lines[0].removeprefix("aftervisit: ")


@contextmanager
def same_process() -> Iterator[None]:
    """Run commands by `main` and leave the process as it was: its hooks and its logging."""
    hooks = sys.excepthook, sys.unraisablehook
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = hooks
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        logging.captureWarnings(False)  # noqa: FBT003 - the library's signature
        structlog.reset_defaults()


def aftervisit(*arguments: str, data_dir: Path, **settings: str) -> Ran:
    """Run a command; ``settings`` are environment variables without their prefix."""
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment |= {f"AFTERVISIT_{name}": value for name, value in settings.items()}
    environment |= {"AFTERVISIT_DATA_DIR": str(data_dir), "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        [COMMAND, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
