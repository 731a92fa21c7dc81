"""The tasks: parse, call a use case, return."""

from __future__ import annotations

import structlog
from celery import shared_task

from service.errors import StoreUnavailable
from service.worker.app import IMPORT_TASK, MIGRATION_TASK
from service.worker.process import current_process

log = structlog.get_logger(__name__)

DRAIN_TASK = "aftervisit.drain"


@shared_task(name=DRAIN_TASK)
def drain(partition: int) -> None:
    """Send what is due in a partition."""
    try:
        current_process().drain(partition)
    except StoreUnavailable as error:
        # The tick goes on asking; nothing is lost while the store is away.
        log.warning("store_unavailable", partition=partition, fault=str(error))


@shared_task(name=MIGRATION_TASK)
def migrate(identifier: str) -> None:
    """Go on with moving patients to another version of their series, for a while."""
    try:
        current_process().migrate(identifier)
    except StoreUnavailable as error:
        # Beat goes on asking; a migration goes on where it was.
        log.warning("store_unavailable", migration=identifier, fault=str(error))


@shared_task(name=IMPORT_TASK)
def import_patients(identifier: str) -> None:
    """Check a file of patients, or import it, for a while."""
    try:
        current_process().import_patients(identifier)
    except StoreUnavailable as error:
        # Beat goes on asking; an import goes on where it was.
        log.warning("store_unavailable", imports=identifier, fault=str(error))
