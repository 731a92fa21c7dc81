"""The design that everybody writes first: one ``apply_async(eta=...)`` a message.

Its worker fetches every message that waits, and keeps it in memory until its time. The task sends
with the SDK as it comes; nothing is looked up, rendered, recorded or protected.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from celery import Celery

from service.store.embedded import broker_url
from tests.bench.installation import memory_of
from tests.bench.loops import Loop, sdk_loop
from tests.bench.sinks import Sink
from tests.fakes.launch import ROOT
from tests.support.servers import valkey_server
from tests.support.system import kill

BROKER, SINK = "NAIVE_BROKER", "NAIVE_SINK"
_open = ExitStack()

app = Celery("naive", broker=os.environ.get(BROKER))
app.conf.update(
    task_ignore_result=True,
    # A broker takes a message back from a worker that holds it for longer than this, and gives it
    # to another: with the default of an hour, everything further off than that is sent twice.
    broker_transport_options={"visibility_timeout": 86_400},
)


@cache
def _loop() -> Loop:
    return _open.enter_context(sdk_loop(int(os.environ[SINK]), 1))


@app.task(name="naive.send")
def send() -> None:
    """Send one text."""
    _loop()(1)


@dataclass(frozen=True, slots=True)
class Naive:
    """A running worker of that design."""

    process: subprocess.Popen[bytes]

    def enqueue(self, count: int, eta: datetime) -> None:
        """Queue so many texts for an instant (UTC)."""
        with app.producer_pool.acquire(block=True) as producer:
            for _ in range(count):
                send.apply_async(eta=eta, producer=producer)

    def memory(self) -> list[int]:
        """Resident bytes of each process of the worker, its parent first."""
        return memory_of(self.process.pid)


@contextmanager
def running_naive(directory: Path, sink: Sink, processes: int) -> Iterator[Naive]:
    """A worker with so many processes on a broker of its own."""
    with valkey_server(directory / "broker", appendfsync="everysec") as broker:
        url = broker_url(broker.url)
        app.conf.update(broker_url=url)
        environment = {**os.environ, BROKER: url, SINK: str(sink.port)}
        program = [sys.executable, "-m", "celery", "-A", "tests.bench.naive", "worker"]
        with (directory / "naive.log").open("ab") as log:
            process = subprocess.Popen(
                [*program, "--concurrency", str(processes), "--loglevel", "WARNING"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield Naive(process)
        finally:
            kill(process)
