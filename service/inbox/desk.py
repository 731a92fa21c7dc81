"""The tasks that a message puts before staff: those that suit what it means, and no others."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from service.errors import NotFound
from service.inbox.arrived import Arrived
from service.inbox.care import Care
from service.store.reply_records import Heard
from service.store.tasks import TaskKind, Tasks, TaskState, TaskTaken

OF_REPLIES: Final = (
    *(TaskKind.URGENT, TaskKind.WORSE, TaskKind.DIED, TaskKind.WRONG_NUMBER),
    TaskKind.REPLY,
)
"""Kinds of tasks that come from a message."""
CORRECTED: Final = "corrected"
"""Why a task was closed, for the audit."""


class Desk:
    """Opens, opens again and closes them."""

    def __init__(self, tasks: Tasks, care: Care) -> None:
        self._tasks = tasks
        self._care = care

    def suit(
        self,
        arrived: Arrived,
        wanted: Collection[TaskKind],
        before: Collection[TaskKind],
    ) -> None:
        """Have the tasks about a message be those that are wanted.

        Args:
            arrived: the message, with who says what it means.
            wanted: kinds that suit what it means.
            before: kinds that suited what it was taken for: staff may have closed these, and they
                are not opened again.

        Raises:
            StoreUnavailable: do it again, it is idempotent.
        """
        reply = arrived.reply
        for kind in OF_REPLIES:
            name = self._tasks.name_of(kind, reply.address, reply.id)
            if kind not in wanted:
                self._close(name, reply.source)
                continue
            self._care.put_before_staff(kind, arrived)
            if kind not in before and self._tasks.find(name).state is TaskState.CLOSED:
                self._tasks.reopen(name, reply.source)

    def _close(self, name: str, by: str) -> None:
        with suppress(NotFound, TaskTaken):  # there was none, or it is closed
            self._tasks.close(name, by, CORRECTED)


def kinds_of(heard: Heard) -> set[TaskKind]:
    """The tasks that suit what a message means, but for what a rating says beside earlier ones."""
    found = {TaskKind.URGENT} if heard.says("urgent") else set()
    if heard.says("died"):
        found.add(TaskKind.DIED)
    elif heard.says("wrong_number"):
        found.add(TaskKind.WRONG_NUMBER)
    return found | ({TaskKind.REPLY} if heard.says("other") else set())
