"""Putting right what was understood of a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Form, Path
from starlette.responses import Response

from service.errors import InvalidInput
from service.inbox.correcting import Overtaken
from service.inbox.meanings import CHOICES, Meaning
from service.inbox.thread import Thread
from service.store.reply_records import Reply
from service.web.console.access import ChangesPatients, Visit
from service.web.console.inbox import Short, ThreadId, note_seen, opened
from service.web.console.pages import console_router
from service.web.console.told import Telling
from service.web.console.understood import understood

router = console_router()

ReplyId = Annotated[str, Path(max_length=64)]
Why = Annotated[str, Form(max_length=10_000)]
Chosen = Annotated[list[str] | None, Form()]


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form.

    Attributes:
        words: of ``meanings.CHOICES``, or whatever was sent in their place.
    """

    words: tuple[str, ...]
    rating: str
    why: str
    patient: str


@router.get("/inbox/{thread}/replies/{reply}")
def show_correction(visit: ChangesPatients, thread: ThreadId, reply: ReplyId) -> Response:
    """Ask what a reply means, where it was misunderstood."""
    found = opened(visit, thread)
    one = found.reply(reply)
    note_seen(visit, found)
    meaning = Meaning.of(one.meant)
    number = "" if meaning.rating is None else str(meaning.rating)
    patient = one.correction.patient if one.correction else ""
    return _page(visit, found, one, Typed(meaning.words, number, "", patient))


def _page(
    visit: Visit,
    thread: Thread,
    reply: Reply,
    typed: Typed,
    status: int = 200,
    *,
    faults: Sequence[Any] = (),
) -> Response:
    say = visit.say("understood")
    return visit.page(
        "correction",
        status,
        thread=thread,
        entry=next(each for each in thread.entries if each.what is reply),
        reply=reply,
        telling=Telling(visit),
        understood=partial(understood, visit),
        options=[(word, say[f"choose_{word}"]) for word in CHOICES],
        typed=typed,
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
    found = opened(visit, thread)
    one = found.reply(reply)
    typed = Typed(tuple(meaning or ()), rating, why, patient)
    try:
        _require_seen(found, patient)
        done = visit.core.inbox_cases.correcting.correct(
            thread,
            reply,
            Meaning.read(typed.words, rating),
            number=int(number) if number.isascii() and number.isdecimal() else 0,
            by=visit.source,
            why=why,
            patient=patient,
        )
    except InvalidInput as error:
        return _page(visit, found, one, typed, 422, faults=visit.faults(error))
    except Overtaken:
        fault = {"field": "meaning", "text": visit.say("correction")["overtaken"]}
        return _page(visit, found, one, typed, 409, faults=[fault])
    return visit.to(f"inbox/{thread}", done=done.did[0] if done.did else "corrected")


def _require_seen(thread: Thread, patient: str) -> None:
    """Refuse a patient who uses the address as well, but does not exist for the reader.

    Raises:
        InvalidInput: they are none of those that the form offers.
    """
    if patient and patient not in {person.contact.id for person in thread.people}:
        raise InvalidInput("patient", "patient_elsewhere", "Choose who uses this address.")
