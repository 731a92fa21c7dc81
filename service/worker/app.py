"""The Celery application. Its messages hold numbers and ids, never anything of a patient."""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from service.worker.brokers import broker_of
from service.worker.queues import DRAIN, IMPORTS, MIGRATIONS, QUEUES
from service.worker.transport import register

DRAIN_EXPIRES_S = 10
"""A drain that waited longer than this is dropped; the tick has queued another by then."""
IMPORT_EXPIRES_S = 60
VISIBILITY_S = 300
MIGRATION_EXPIRES_S = 60
MIGRATION_TASK = "aftervisit.migrate"
IMPORT_TASK = "aftervisit.import"

ROUTES = {MIGRATION_TASK: {"queue": MIGRATIONS}, IMPORT_TASK: {"queue": IMPORTS}}
"""Tasks that do not go where drains go."""


def make_app(broker: str) -> Celery:
    """A Celery application on the settings' broker; tasks are in ``service.worker.tasks``.

    Nothing here carries business time: no ``eta``, no ``countdown``, no retries. A task that is
    lost is queued again by the next tick, one that is delivered twice claims what is due or
    nothing, so tasks are acknowledged early and results are not kept.
    """
    register()
    reached = broker_of(broker)
    app = Celery("aftervisit", broker=reached.url, include=["service.worker.tasks"])
    app.conf.update(
        task_queues=[Queue(name) for name in QUEUES],
        task_default_queue=DRAIN,
        task_routes=ROUTES,
        task_ignore_result=True,
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        enable_utc=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=20.0,
        worker_enable_soft_shutdown_on_idle=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_S,
            # A call answers within a second or two, or the connection is given up: a beat that
            # waited longer would lose its lead.
            "socket_timeout": 4,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "connect_retries_timeout": 2,
            "interval_start": 0.2,
            "interval_step": 0.2,
            "interval_max": 1,
            **reached.options,
        },
    )
    app.set_default()
    return app
