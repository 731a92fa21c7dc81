"""The inbox: threads that wait, and one of them whole, with what was understood and why."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Form, Path
from starlette.responses import Response

from service.errors import InvalidInput
from service.inbox.correcting import Overtaken
from service.inbox.meanings import CHOICES, Meaning
from service.inbox.threads import Thread
from service.inbox.understanding.likeness import PREFIX, weighed_most
from service.inbox.understanding.plain import plain
from service.inbox.writing import MayNotWrite, NeedsDecision
from service.store.reply_records import Heard, Reply
from service.store.tasks import TaskState, TaskTaken
from service.store.worklist import Place
from service.web.console.access import ChangesPatients, SeesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.told import Telling, colleagues

router = console_router()

PAGE: Final = 25
MOST_TOLD: Final = 3
"""Of the rules that fired so many are told: each says enough."""
MARKS: Final = ("everything", "wrong_number", "died")
"""What is understood beside the intents, and told behind them."""
ThreadId = Annotated[str, Path(max_length=64)]
ReplyId = Annotated[str, Path(max_length=64)]
Words = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=128)]
Why = Annotated[str, Form(max_length=10_000)]
Chosen = Annotated[list[str] | None, Form()]


@dataclass(frozen=True, slots=True)
class Understood:
    """What a reply was taken for, in the reader's words.

    Attributes:
        as_: a phrase for each thing.
        because: a phrase for each rule that said so.
    """

    as_: tuple[str, ...]
    because: tuple[str, ...]


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
def show_thread(visit: SeesPatients, thread: ThreadId, whole: str = "") -> Response:
    """Show what was said by and to an address."""
    return thread_page(visit, thread, whole=bool(whole))


def thread_page(
    visit: Visit,
    thread: str,
    status: int = 200,
    *,
    whole: bool = False,
    faults: Sequence[Any] = (),
    written: str = "",
    key: str = "",
) -> Response:
    """The page, also after a form that could not be followed; what was typed is kept."""
    found = _opened(visit, thread, whole=whole)
    telling = Telling(visit)
    open_tasks = [task for task in found.tasks if task.state is not TaskState.CLOSED]
    return visit.page(
        "thread",
        status,
        thread=found,
        telling=telling,
        understood=partial(understood, visit),
        open_tasks=[telling.task(task) for task in open_tasks],
        colleagues=colleagues(visit, found.clinic) if open_tasks else (),
        refusal=visit.core.inbox_cases.writing.refusal(found),
        key=key or secrets.token_urlsafe(18),
        written=written,
        whole=whole,
        faults=faults,
    )


def _opened(visit: Visit, thread: str, *, whole: bool = True) -> Thread:
    threads = visit.core.inbox_cases.threads
    if whole:
        return threads.open(thread, visit.member.clinics, newest=None)
    return threads.open(thread, visit.member.clinics)


def understood(visit: Visit, heard: Heard, text: str | None = None) -> Understood:
    """What was understood and why, in the reader's words.

    Args:
        visit: the reader's.
        heard: what was understood.
        text: of the message, whose words are quoted where it is like others; None: they are not.
    """
    say = visit.say("understood")
    marks = [word for word in heard.words if word in MARKS]
    told = []
    for word in (*(word for word in heard.words if word not in MARKS), *marks):
        unclear = word == "check_in" and heard.check_in is None
        key = "check_in_unclear" if unclear else word.partition(":")[0]
        told.append(say.get(key, say["other"]).format(rating=heard.check_in))
    because = dict.fromkeys(_because(visit, rule, text or "") for rule in heard.rules)
    more = ("…",) if len(because) > MOST_TOLD else ()
    return Understood(tuple(told), (*list(because)[:MOST_TOLD], *more))


def _because(visit: Visit, rule: str, text: str) -> str:
    say = visit.say("rules")
    if not rule.startswith(PREFIX):
        return say.get(rule, rule)
    most = weighed_most(rule.removeprefix(PREFIX), plain(text)) if text else ()
    quoted = ", ".join(f"“{words}”" for words in most)
    return f"{say['likeness']}: {quoted}" if quoted else say["likeness"]


@router.get("/inbox/{thread}/replies/{reply}")
def show_correction(visit: ChangesPatients, thread: ThreadId, reply: ReplyId) -> Response:
    """Ask what a reply means, where it was misunderstood."""
    found = _opened(visit, thread)
    one = found.reply(reply)
    return _correction_page(visit, found, one, Meaning.of(one.meant))


def _correction_page(
    visit: Visit,
    thread: Thread,
    reply: Reply,
    meaning: Meaning,
    status: int = 200,
    *,
    rating: str = "",
    why: str = "",
    patient: str = "",
    faults: Sequence[Any] = (),
) -> Response:
    entry = next(each for each in thread.entries if each.what is reply)
    say = visit.say("understood")
    number = "" if meaning.rating is None else str(meaning.rating)
    return visit.page(
        "correction",
        status,
        thread=thread,
        entry=entry,
        reply=reply,
        telling=Telling(visit),
        understood=partial(understood, visit),
        options=[(word, say[f"choose_{word}"]) for word in CHOICES],
        chosen=meaning.words,
        rating=rating or number,
        why=why,
        patient=patient or (reply.correction.patient if reply.correction else ""),
        number=reply.correction.number if reply.correction else 0,
        faults=faults,
    )


@router.post("/inbox/{thread}/replies/{reply}")
def correct(
    visit: ChangesPatients,
    thread: ThreadId,
    reply: ReplyId,
    meaning: Chosen = None,
    rating: Short = "",
    why: Why = "",
    patient: Short = "",
    number: Short = "0",
) -> Response:
    """Record what a reply means, and do what follows from it."""
    found = _opened(visit, thread)
    one = found.reply(reply)
    told = tuple(meaning or ())
    try:
        done = visit.core.inbox_cases.correcting.correct(
            thread,
            reply,
            Meaning.read(told, rating),
            number=int(number) if number.isascii() and number.isdecimal() else 0,
            by=visit.source,
            why=why,
            patient=patient,
        )
    except InvalidInput as error:
        faults, status = [visit.wrong(error)], 422
    except Overtaken:
        faults, status = [{"field": "meaning", "text": visit.say("correction")["overtaken"]}], 409
    else:
        return visit.to(f"inbox/{thread}", done=done.did[0] if done.did else "corrected")
    return _correction_page(
        visit,
        found,
        one,
        Meaning(told),
        status,
        rating=rating,
        why=why,
        patient=patient,
        faults=faults,
    )


@router.post("/inbox/{thread}/check")
def check_answer(
    visit: ChangesPatients, thread: ThreadId, words: Words = "", key: Short = ""
) -> Response:
    """Show an answer as it will arrive, before it is sent."""
    try:
        return _check_page(visit, _opened(visit, thread), words, key)
    except InvalidInput as error:
        faults = [visit.wrong(error)]
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
    found = _opened(visit, thread)
    try:
        queued = visit.core.inbox_cases.writing.send(
            found, words, key=key, by=visit.source, despite=bool(despite)
        )
    except NeedsDecision:
        return _check_page(visit, found, words, key, undecided=True)
    except InvalidInput as error:
        faults = [visit.wrong(error)]
        return thread_page(visit, thread, 422, faults=faults, written=words)
    except MayNotWrite:
        return thread_page(visit, thread, 409, written=words, key=key)
    if close:
        _close_all(visit, found)
    return visit.to(f"inbox/{thread}", done="sent" if queued else "sent_before")


def _close_all(visit: Visit, thread: Thread) -> None:
    """Close what waits about a thread: it is answered."""
    for task in thread.tasks:
        if task.state is not TaskState.CLOSED:
            try:
                visit.core.tasks.close(task.id, visit.source, "answered")
            except TaskTaken:
                continue  # somebody was first
