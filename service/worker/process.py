"""What one worker process keeps between tasks: its store, its carriers, its event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import uvloop
from celery.signals import worker_process_shutdown

from service.bootstrap import Core, Dispatch
from service.collector import spare_the_collector
from service.dispatch.tick import drain_started
from service.errors import ConfigurationError
from service.settings import Settings
from service.store.keys import new_attempt_id, system_random

MIGRATION_S = 1.0
"""So long a worker process is at a migration before what else waits has its turn."""
IMPORT_S = 5.0
"""So long a worker process is at an import before what else waits has its turn."""


class WorkerProcess:
    """Drains partitions, one after another, with many sends under way in each."""

    def __init__(self, settings: Settings, store_url: str) -> None:
        self._core = Core(settings, store_url)
        self._dispatch = Dispatch(self._core)
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        spare_the_collector()

    def drain(self, partition: int) -> int:
        """Settle and send what a partition has due; how many flights were concluded."""
        drain_started(self._core.client, partition)
        with ending_in_order(self._dispatch.stop):
            return self._runner.run(self._dispatch.drain(partition))

    def migrate(self, identifier: str) -> None:
        """Go on with a migration for a while."""
        token = new_attempt_id(0, system_random)
        self._core.series_migrations.go_on(identifier, seconds=MIGRATION_S, token=token)

    def import_patients(self, identifier: str) -> bool:
        """Check or import a file for a while; False where there was nothing to do."""
        until, told = self._core.machine.monotonic() + IMPORT_S, threading.Event()

        def may_go_on() -> bool:
            return not told.is_set() and self._core.machine.monotonic() < until

        token = new_attempt_id(0, system_random)
        with ending_in_order(told.set):
            return self._core.imports.go_on(identifier, token, may_go_on, told.is_set)

    def close(self) -> None:
        """Close carriers, loop and store."""
        self._runner.run(self._dispatch.aclose())
        self._runner.close()
        self._core.close()


@contextmanager
def ending_in_order(stop: Callable[[], None]) -> Iterator[None]:
    """Have SIGTERM call ``stop`` within the block, and end the process only behind it.

    Celery tells its own first process to end, which then waits for the drains. Where somebody
    tells all of them (systemd's ``KillMode=control-group``, a shell's ``kill -- -GROUP``), one
    that ended at once would leave its attempts unknown.
    """
    told = False

    def tell(*_: object) -> None:
        nonlocal told
        told = True
        stop()

    before = signal.signal(signal.SIGTERM, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if told:
            os.kill(os.getpid(), signal.SIGTERM)


_inherited: list[tuple[Settings, str]] = []


def before_fork(settings: Settings, store_url: str) -> None:
    """Tell the processes that will be forked what to build on; settings are read only once."""
    _inherited[:] = [(settings, store_url)]


@cache
def current_process() -> WorkerProcess:
    """This process's own, built at its first task, so that nothing is shared across a fork.

    Raises:
        ConfigurationError: the worker was not started by ``aftervisit worker``.
    """
    if not _inherited:
        raise ConfigurationError("Start workers with `aftervisit worker`.")
    return WorkerProcess(*_inherited[0])


@worker_process_shutdown.connect
def _close(**_: object) -> None:
    if current_process.cache_info().currsize:
        current_process().close()
