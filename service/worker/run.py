"""Run a worker or a beat in this process until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType
from typing import TYPE_CHECKING

from celery import Celery

from service.bootstrap import open_core, require_fit_to_send, store_urls
from service.settings import Settings
from service.worker.app import make_app
from service.worker.beat import make_beat
from service.worker.process import before_fork
from service.worker.queues import QUEUES

if TYPE_CHECKING:
    from celery.apps.worker import Worker


def run_worker(settings: Settings) -> int:
    """Run Celery with ``worker_processes`` prefork processes; its exit code.

    SIGTERM ends it after the drains under way, which stop claiming within seconds.
    """
    with store_urls(settings, hold=True) as urls:
        require_fit_to_send(settings, urls.store)  # told here, before any fork
        before_fork(settings, urls.store)
        app = make_app(urls.broker)
        worker = _quiet_worker(app)(
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


def _quiet_worker(app: Celery) -> type[Worker]:
    """Celery's worker, without the plain line that it writes among our JSON when told to end."""
    # Here, since beat needs none of it; the stubs do not list the function.
    from celery.apps.worker import (  # type: ignore[attr-defined] # noqa: PLC0415
        install_worker_term_handler,
    )

    bound: type[Worker] = app.Worker

    class QuietWorker(bound):  # type: ignore[misc, valid-type]
        def install_platform_tweaks(self, worker: Worker) -> None:
            super().install_platform_tweaks(worker)
            install_worker_term_handler(worker, verbose=False)

    return QuietWorker


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
