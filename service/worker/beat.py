"""Beat: Celery's own beat service, with a scheduler that ticks instead of reading a crontab."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from celery import Celery
from celery.beat import Scheduler, Service
from kombu.exceptions import OperationalError

from service.bootstrap import Core
from service.dispatch.tick import Ticker
from service.errors import StoreUnavailable
from service.worker.app import (
    DRAIN_EXPIRES_S,
    IMPORT_EXPIRES_S,
    IMPORT_TASK,
    MIGRATION_EXPIRES_S,
    MIGRATION_TASK,
)
from service.worker.tasks import DRAIN_TASK

log = structlog.get_logger(__name__)


class TickScheduler(Scheduler):
    """Calls the tick of dispatch and sleeps until the next one."""

    ticker: Ticker
    queue_migrations: Callable[[], None]
    queue_imports: Callable[[], None]

    def setup_schedule(self) -> None:
        """There is no crontab: what is due stands in the store."""

    def tick(self, *_: object, **__: object) -> float:
        """Tick once; seconds until the next."""
        try:
            if self.ticker.tick().led:
                self.queue_migrations()
                self.queue_imports()
        except (StoreUnavailable, OperationalError) as error:
            log.warning("tick_failed", fault=str(error))
            return 1.0
        return self.ticker.interval_s


def make_beat(app: Celery, core: Core) -> Service:
    """A beat service that queues drains of ``core``'s partitions on ``app``."""

    def queue_drain(partition: int) -> None:
        app.send_task(DRAIN_TASK, (partition,), expires=DRAIN_EXPIRES_S, retry=False)

    def queue_migration(identifier: str) -> None:
        app.send_task(MIGRATION_TASK, (identifier,), expires=MIGRATION_EXPIRES_S, retry=False)

    def queue_migrations(_: object) -> None:
        core.series_migrations.queue(queue_migration)

    def queue_import(identifier: str) -> None:
        app.send_task(IMPORT_TASK, (identifier,), expires=IMPORT_EXPIRES_S, retry=False)

    def queue_imports(_: object) -> None:
        core.imports.queue(queue_import)

    bound = {
        "ticker": core.ticker(queue_drain),
        "queue_migrations": queue_migrations,
        "queue_imports": queue_imports,
    }
    scheduler = type("BoundTickScheduler", (TickScheduler,), bound)
    return Service(app, scheduler_cls=scheduler)
