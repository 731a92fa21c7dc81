"""The inbox: threads that wait, and one of them whole, with what was understood and why."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Form, Path
from starlette.responses import Response

from service.errors import InvalidInput
from service.inbox.thread import Thread
from service.inbox.writing import MayNotWrite, NeedsDecision
from service.store.tasks import TaskTaken
from service.store.worklist import Place
from service.web.console.access import ChangesPatients, SeesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.told import Telling, colleagues
from service.web.console.understood import understood

router = console_router()

PAGE: Final = 25
MOST_DIGITS: Final = 15
"""Of an instant in ms."""
ThreadId = Annotated[str, Path(max_length=64)]
Words = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=128)]


@router.get("/inbox")
def show_inbox(visit: SeesPatients, after: str = "") -> Response:
    """List the threads that wait, the most pressing first."""
    place = Place.parse(after) if after else None
    found = visit.core.inbox_cases.threads.waiting(
        visit.member.clinics, limit=PAGE, after=place, by_address=True
    )
    telling = Telling(visit)
    return visit.page(
        "inbox",
        rows=[telling.waiting(each) for each in found.waiting],
        counts=found.page.counts,
        further=found.page.further,
        first=place is None,
    )


@router.get("/inbox/{thread}")
def show_thread(visit: SeesPatients, thread: ThreadId, until: str = "") -> Response:
    """Show what was said by and to an address; of what is long ago, no more than that."""
    long_ago = until.isascii() and until.isdecimal() and len(until) <= MOST_DIGITS
    return thread_page(visit, thread, until_ms=int(until) if long_ago else None)


def thread_page(
    visit: Visit,
    thread: str,
    status: int = 200,
    *,
    until_ms: int | None = None,
    faults: Sequence[Any] = (),
    written: str = "",
    key: str = "",
) -> Response:
    """The page, also after a form that could not be followed; what was typed is kept."""
    threads = visit.core.inbox_cases.threads
    found = threads.open(thread, visit.member.clinics, until_ms=until_ms)
    note_seen(visit, found)
    telling, writing = Telling(visit), visit.core.inbox_cases.writing
    return visit.page(
        "thread",
        status,
        thread=found,
        telling=telling,
        understood=partial(understood, visit),
        open_tasks=[telling.task(task) for task in found.tasks],
        colleagues=colleagues(visit, found.clinic) if found.tasks else (),
        refusal=writing.refusal(found),
        stranger="" if found.people else writing.address(found),
        key=key or secrets.token_urlsafe(18),
        written=written,
        older=until_ms is not None,
        faults=faults,
    )


def opened(visit: Visit, thread: str) -> Thread:
    """All of a thread that the reader may see.

    Raises:
        NotFound: there is none.
    """
    return visit.core.inbox_cases.threads.open(thread, visit.member.clinics, newest=None)


def note_seen(visit: Visit, thread: Thread) -> None:
    """Note in the audit that the reader looked at the patients of a thread, before it is shown."""
    for person in thread.people:
        visit.core.audit.note_seen(person.contact.id, visit.source)


@router.post("/inbox/{thread}/check")
def check_answer(
    visit: ChangesPatients, thread: ThreadId, words: Words = "", key: Short = ""
) -> Response:
    """Show an answer as it will arrive, before it is sent."""
    try:
        return _check_page(visit, opened(visit, thread), words, key)
    except InvalidInput as error:
        faults = visit.faults(error)
        return thread_page(visit, thread, 422, faults=faults, written=words, key=key)
    except MayNotWrite:
        return thread_page(visit, thread, 409, written=words, key=key)


def _check_page(
    visit: Visit, thread: Thread, words: str, key: str, *, undecided: bool = False
) -> Response:
    checked = visit.core.inbox_cases.writing.check(thread, words)
    telling = Telling(visit)
    return visit.page(
        "answer",
        409 if undecided else 200,
        thread=thread,
        checked=checked,
        when=telling.at(checked.slot.at, checked.timezone),
        written=words,
        key=key,
        undecided=undecided,
    )


@router.post("/inbox/{thread}/change")
def change_answer(
    visit: ChangesPatients, thread: ThreadId, words: Words = "", key: Short = ""
) -> Response:
    """Go back to an answer that was checked, and keep what was typed."""
    return thread_page(visit, thread, written=words, key=key)


@router.post("/inbox/{thread}/send")
def send_answer(
    visit: ChangesPatients,
    thread: ThreadId,
    words: Words = "",
    key: Short = "",
    despite: Short = "",
    close: Short = "",
) -> Response:
    """Send an answer, once a form."""
    found = opened(visit, thread)
    try:
        queued = visit.core.inbox_cases.writing.send(
            found, words, key=key, by=visit.source, despite=bool(despite)
        )
    except NeedsDecision:
        return _check_page(visit, found, words, key, undecided=True)
    except InvalidInput as error:
        faults = visit.faults(error)
        return thread_page(visit, thread, 422, faults=faults, written=words)
    except MayNotWrite:
        return thread_page(visit, thread, 409, written=words, key=key)
    if close:
        _close_all(visit, found)
    return visit.to(f"inbox/{thread}", done="sent" if queued else "sent_before")


def _close_all(visit: Visit, thread: Thread) -> None:
    """Close what waits about a thread: it is answered."""
    for task in thread.tasks:
        with suppress(TaskTaken):  # somebody was first
            visit.core.tasks.close(task.id, visit.source, "answered")
