"""Tasks as staff see them: what waits, for how long, what was written, and what was understood."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from service.clock import from_ms
from service.store.keyring import KeyMissing, Tampered
from service.store.tasks import Task, Tasks

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task with what it is about.

    Attributes:
        content: ``body`` and what else there is; empty where it cannot be decrypted.
    """

    task: Task
    content: dict[str, str]

    def row(self) -> dict[str, object]:
        """For JSON."""
        task = self.task
        return {
            "task": task.id,
            "kind": task.kind.value,
            "state": task.state.word,
            "by": task.by or None,
            "clinic": task.clinic,
            "patients": list(task.patients),
            "opened": from_ms(task.opened_ms).isoformat().replace("+00:00", "Z"),
            "alerts": task.alerts,
            "channel": self.content.get("channel") or None,
            "text": self.content.get("body", ""),
            "rules": [rule for rule in self.content.get("rules", "").split(", ") if rule],
        }


def waiting(tasks: Tasks) -> list[Waiting]:
    """All tasks that are not closed, the most pressing first.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    return [with_content(tasks, task) for task in tasks.waiting()]


def with_content(tasks: Tasks, task: Task) -> Waiting:
    """A task with what it is about; one that cannot be decrypted is shown without."""
    try:
        return Waiting(task, tasks.content(task))
    except (KeyMissing, Tampered) as error:
        log.error("task_unreadable", task=task.id, fault=str(error))
        return Waiting(task, {})
