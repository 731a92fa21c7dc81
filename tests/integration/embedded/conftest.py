from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.servers import data_dir_for_embedded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class User:
    process: subprocess.Popen[str]
    url: str = ""
    run_id: str = ""

    def wait_until_in(self) -> User:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended without joining"
        told = json.loads(line)
        self.url, self.run_id = told["url"], told["run_id"]
        return self

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Launch(Protocol):
    def __call__(self, role: str) -> User: ...


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    with data_dir_for_embedded(tmp_path / "var") as directory:
        yield directory


@pytest.fixture
def launch(data_dir: Path) -> Iterator[Launch]:
    """Starts another process that uses the store of ``data_dir``."""
    with ExitStack() as stack:

        def start(role: str) -> User:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.embedded_user", str(data_dir), role],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return User(process)

        yield start
