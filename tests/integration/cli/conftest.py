"""A shell on an installation whose store keeps running between its commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.bootstrap import Core, open_core
from service.cli.app import main
from service.settings import load_settings
from tests.support.command import Ran, same_process
from tests.support.servers import valkey_server


class Shell:
    """Runs our command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> Ran:
        code = main(arguments)
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def set(self, **settings: str) -> None:
        """Set settings, without their prefix, for the commands that follow."""
        for name, value in settings.items():
            self._monkeypatch.setenv(f"AFTERVISIT_{name}", value)

    @contextmanager
    def core(self) -> Iterator[Core]:
        """What the commands work on, seen from the test."""
        with open_core(load_settings()) as core:
            yield core


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    with valkey_server(tmp_path / "store") as store, same_process():
        for name in [name for name in os.environ if name.startswith("AFTERVISIT")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("COLUMNS", "80")
        shell = Shell(capsys, monkeypatch)
        shell.set(DATA_DIR=str(tmp_path / "data"), REDIS_URL=store.url)
        yield shell
