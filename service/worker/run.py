"""Run a worker or a beat in this process until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType

from service.bootstrap import Core, open_core, store_urls
from service.settings import Settings
from service.worker.app import make_app
from service.worker.beat import make_beat
from service.worker.process import before_fork
from service.worker.queues import QUEUES


def run_worker(settings: Settings) -> int:
    """Run Celery with ``worker_processes`` prefork processes; its exit code.

    SIGTERM ends it after the drains under way, which stop claiming within seconds.
    """
    with store_urls(settings, hold=True) as urls:
        Core(settings, urls.store).close()  # a wrong setting is told here, once, before any fork
        before_fork(settings, urls.store)
        app = make_app(urls.broker)
        worker = app.Worker(
            pool="prefork",
            concurrency=settings.worker_processes,
            queues=list(QUEUES),
            without_gossip=True,
            without_mingle=True,
            loglevel="DEBUG" if settings.log_level == "debug" else "WARNING",
            quiet=True,
        )
        worker.start()
        return int(worker.exitcode or 0)


def run_beat(settings: Settings) -> int:
    """Tick until SIGTERM or SIGINT; 0."""
    with store_urls(settings, hold=True) as urls, open_core(settings) as core:
        service = make_beat(make_app(urls.broker), core)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            service.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        service.start(embedded_process=True)
    return 0
