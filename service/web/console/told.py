"""Tasks, times and people in the words of the reader, for the pages about patients' messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from service.accounts.members import Member
from service.accounts.roles import Right
from service.clock import from_ms
from service.inbox.thread import Waiting
from service.store.tasks import Task, TaskKind, TaskState
from service.web.console.access import Visit
from service.web.console.names import Names
from service.web.when import spoken_day, spoken_time

SNIPPET: Final = 160
"""So many letters of a message stand in a list."""
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
TONES: Final = {TaskKind.URGENT: "bad", TaskKind.WORSE: "care", TaskKind.DIED: "care"}
"""How a kind of task stands out; the others do not."""


@dataclass(frozen=True, slots=True)
class TaskShown:
    """A task as a page shows it.

    Attributes:
        id: the task's.
        thread: of which it is.
        kind: word of the stored kind; ``tone`` of its badge.
        said: the kind in the reader's words.
        names: of the patients concerned, one text; empty where none is known.
        text: the beginning of what was written.
        age: how long ago it was opened.
        holder: who has it, as people say it; empty where nobody has.
        had: the same as it is stored.
        mine: the reader has it.
        state: ``open``, ``taken`` or ``closed``.
        tasks: how many the thread has.
        alerts: how often staff were alerted.
    """

    id: str
    thread: str
    kind: str
    tone: str
    said: str
    names: str
    text: str
    age: str
    holder: str
    had: str
    mine: bool
    state: str
    tasks: int
    alerts: int


class Telling:
    """Says things of tasks to one reader."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._words = visit.say("tasks")
        self._names = Names(visit)
        self.timezone: str = visit.core.today.timezone(visit.member.clinics)
        self._zone = ZoneInfo(self.timezone)

    def waiting(self, waiting: Waiting) -> TaskShown:
        """One row of a list."""
        return self.task(
            waiting.row.task,
            names=", ".join(waiting.names),
            text=snippet(waiting.text),
            age_ms=waiting.age_ms,
            tasks=waiting.row.tasks,
        )

    def task(
        self,
        task: Task,
        *,
        names: str = "",
        text: str = "",
        age_ms: int | None = None,
        tasks: int = 1,
    ) -> TaskShown:
        """A task."""
        if age_ms is None:
            age_ms = self._visit.core.machine.now_ms() - task.opened_ms
        had = task.by if task.state is TaskState.TAKEN else ""
        return TaskShown(
            id=task.id,
            thread=task.address,
            kind=task.kind.value,
            tone=TONES.get(task.kind, "quiet"),
            said=self._words[f"kind_{task.kind.value}"],
            names=names,
            text=text,
            age=self.age(age_ms),
            holder=self.name(had) if had else "",
            had=had,
            mine=had == self._visit.source,
            state=task.state.word,
            tasks=tasks,
            alerts=task.alerts,
        )

    def age(self, span_ms: int) -> str:
        """How long ago: ``5 min``, ``3 h``, ``2 d``."""
        span = max(0, span_ms)
        if span < _HOUR:
            return self._words["minutes"].format(count=span // _MINUTE)
        if span < _DAY:
            return self._words["hours"].format(count=span // _HOUR)
        return self._words["days"].format(count=span // _DAY)

    def at(self, at: int | datetime, timezone: str = "") -> str:
        """An instant on the reader's clinic's clock, or another: ``Monday, June 3, 8:05 am``."""
        zone = ZoneInfo(timezone) if timezone else self._zone
        local = (at if isinstance(at, datetime) else from_ms(at)).astimezone(zone)
        return f"{spoken_day(local.date(), self._visit.language)}, {self.time(local.time())}"

    def time(self, moment: time) -> str:
        """A time of day."""
        return spoken_time(moment, self._visit.language)

    def name(self, source: str) -> str:
        """Who a source of the audit is, as people say it."""
        kind, _, rest = source.partition(":")
        told = self._words.get(f"by_{kind}", "")
        return self._names.by(source) or " ".join(filter(None, (rest, told)))


def colleagues(visit: Visit, clinic: str) -> Sequence[Member]:
    """Members who may see to a task of a clinic, but for the reader."""
    return [
        member
        for member in visit.core.accounts.all()
        if member.may(Right.CHANGE_PATIENTS)
        and member.sees(clinic)
        and member.id != visit.member.id
    ]


def snippet(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET else f"{line[:SNIPPET].rstrip()}…"
