from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest

from service.cli.app import main
from tests.support.command import Ran, same_process

Run = Callable[..., Ran]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> Iterator[Run]:
    """The command line in this process, with no setting but a data directory that is not there."""
    for name in [name for name in os.environ if name.startswith("AFTERVISIT")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AFTERVISIT_DATA_DIR", f"{tmp_path}/data")
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    with same_process():
        yield run


def error_of(ran: Ran) -> dict[str, str | None]:
    found: dict[str, str | None] = json.loads(ran.out)["error"]
    return found
