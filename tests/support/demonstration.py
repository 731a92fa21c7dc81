"""A demonstration whose days are over, and who may sign in to its console."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.polling import until
from tests.support.servers import data_dir_for_embedded
from tests.support.system import COMMAND

_OVER = re.compile(
    r"(?s)mailboxes: (?P<page>\S+).*console: (?P<console>\S+) as (?P<email>\S+), "
    r"(?P<password>\S+).*over;"
)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One at rest.

    Attributes:
        page: URL of the phones and mailboxes.
        console: URL of the clinic's console, with its slash.
    """

    page: str
    console: str
    email: str
    password: str


@contextmanager
def demonstration(directory: Path, days: int) -> Iterator[Demonstration]:
    """Run one in a directory until its days are over, and keep it at rest."""
    log = directory / "stderr.log"
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment["AFTERVISIT_DATA_DIR"] = str(directory)
    with data_dir_for_embedded(directory / "demo"), log.open("wb") as errors:
        process = subprocess.Popen(
            [COMMAND, "demo", "--days", str(days)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            found = until(
                lambda: _finished(process, log), f"the {days} days pass", limit_s=60 + 10 * days
            )
            assert found is not None
            yield Demonstration(**found.groupdict())
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            finally:
                process.kill()
                process.wait()


def _finished(process: subprocess.Popen[bytes], log: Path) -> re.Match[str] | None:
    words = log.read_text()
    assert process.poll() is None, words
    return _OVER.search(words)
