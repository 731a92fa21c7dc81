"""What members do about a task: take it, hand it on, give it back, close it, open it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from service.accounts.members import SOURCE
from service.errors import InvalidInput
from service.store.tasks import Task, TaskState, TaskTaken
from service.web.console.access import ChangesPatients, Visit
from service.web.console.inbox import thread_page
from service.web.console.pages import console_router
from service.web.console.today import today_page
from service.web.console.told import Telling, colleagues

router = console_router()

TaskId = Annotated[str, Path(max_length=64)]
Back = Annotated[str, Form(max_length=16)]
Who = Annotated[str, Form(max_length=128)]
Note = Annotated[str, Form(max_length=10_000)]
LONGEST_NOTE = 2000


@router.post("/tasks/{task}/take")
def take(visit: ChangesPatients, task: TaskId, back: Back = "") -> Response:
    """See to a task oneself; of two who ask at once, one has it."""
    return _moved(visit, task, back, "taken", lambda t: visit.core.tasks.take(t.id, visit.source))


@router.post("/tasks/{task}/assign")
def assign(
    visit: ChangesPatients, task: TaskId, to: Who = "", had: Who = "", back: Back = ""
) -> Response:
    """Hand a task to a colleague."""

    def hand(known: Task) -> Task:
        if to not in {member.id for member in colleagues(visit, known.clinic)}:
            raise InvalidInput("to", "colleague_unknown", "Choose a colleague from the list.")
        whom = f"{SOURCE}{to}"
        return visit.core.tasks.assign(known.id, whom, by=visit.source, had=had)

    return _moved(visit, task, back, "handed", hand)


@router.post("/tasks/{task}/give-back")
def give_back(visit: ChangesPatients, task: TaskId, had: Who = "", back: Back = "") -> Response:
    """Let somebody else see to a task."""
    tasks = visit.core.tasks
    return _moved(
        visit, task, back, "given_back", lambda t: tasks.assign(t.id, "", by=visit.source, had=had)
    )


@router.post("/tasks/{task}/close")
def close(visit: ChangesPatients, task: TaskId, note: Note = "", back: Back = "") -> Response:
    """Say that nothing is left to do about a task."""

    def end(known: Task) -> Task:
        if len(note) > LONGEST_NOTE:
            raise InvalidInput("note", "note_long", f"Up to {LONGEST_NOTE} letters.")
        if known.state is TaskState.CLOSED and known.by == visit.source:
            return known  # the same form once more
        return visit.core.tasks.close(known.id, visit.source, note=note.strip())

    return _moved(visit, task, back, "closed", end)


@router.post("/tasks/{task}/reopen")
def reopen(visit: ChangesPatients, task: TaskId, back: Back = "") -> Response:
    """Say that something is left to do about a task after all."""
    return _moved(
        visit, task, back, "reopened", lambda t: visit.core.tasks.reopen(t.id, visit.source)
    )


def _moved(
    visit: Visit, identifier: str, back: str, done: str, move: Callable[[Task], Task]
) -> Response:
    """Do it, and go back to the page that asked for it; there, too, where it cannot be done."""
    task = visit.core.inbox_cases.threads.task(identifier, visit.member.clinics)
    try:
        move(task)
    except TaskTaken:
        faults, status = [{"field": "tasks", "text": _taken(visit, identifier)}], 409
    except InvalidInput as error:
        faults, status = [dict(each) for each in visit.faults(error)], 422
    else:
        return visit.to("today" if back == "today" else f"inbox/{task.address}", done=done)
    if back == "today":
        return today_page(visit, status, faults=faults)
    return thread_page(visit, task.address, status, faults=faults)


def _taken(visit: Visit, identifier: str) -> str:
    """Who was first."""
    task, say = visit.core.tasks.find(identifier), visit.say("tasks")
    if task.state is TaskState.OPEN:
        return say["is_open"]
    form = say["is_closed" if task.state is TaskState.CLOSED else "is_taken"]
    return form.format(name=Telling(visit).name(task.by))
