"""Today: who needs a call, what did not arrive, who waits for an answer, what goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from fastapi import Path
from starlette.responses import Response

from service.errors import NotFound
from service.inbox.thread import Waiting
from service.reporting.insight.tallies import GAVE_UP, LEFT
from service.store.dead_letters import DeliveryId, LetterPlace
from service.web.console.access import ChangesPatients, SeesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.plots import count
from service.web.console.told import Telling

router = console_router()

SHOWN: Final = 20
FEW: Final = 5
PAGE: Final = 25
DIGITS: Final = 6
POLLS: Final = 40
"""So often a page renews itself, twice a minute; then it rests: a session nobody uses is to end."""


@router.get("/today")
def show_today(visit: SeesPatients, seen: str = "", polls: str = "") -> Response:
    """Show the day; ``seen`` tells what the reader has before them while parts are renewed."""
    told = polls.isascii() and polls.isdecimal() and len(polls) < DIGITS
    left = int(polls) if told else POLLS
    return today_page(visit, seen=seen, polls=min(left, POLLS))


def today_page(
    visit: Visit,
    status: int = 200,
    *,
    seen: str = "",
    polls: int = POLLS,
    faults: Sequence[Any] = (),
) -> Response:
    """The page, also after a form that could not be followed."""
    threads, clinics = visit.core.inbox_cases.threads, visit.member.clinics
    telling = Telling(visit)
    calls, replies, counts = threads.calls_and_replies(clinics, calls=SHOWN, replies=FEW)
    letters = visit.core.dead_letters.page(clinics, limit=FEW)
    shown = _mark((*calls, *replies))
    return visit.page(
        "today",
        status,
        calls=[telling.waiting(each) for each in calls],
        replies=[telling.waiting(each) for each in replies],
        counts=counts,
        letters=letters,
        every_clinic=not clinics,
        outgoing=visit.core.today.outgoing(telling.timezone),
        pulse=visit.core.today.pulse(clinics),
        so_far=_so_far(visit),
        telling=telling,
        clock=visit.core.business.now_ms(),
        seen=seen or shown,
        changed=bool(seen) and seen != shown,
        polls=polls,
        faults=faults,
    )


def _so_far(visit: Visit) -> dict[str, str]:
    """What was counted today, for the words of the page."""
    tally = visit.core.insight.today(visit.member.clinics)
    outcomes = tally.outcomes()
    figures = {
        "sent": outcomes.reached + outcomes.failed,
        "failed": outcomes.failed,
        "replies": tally.words[""],
        "left": tally.events[LEFT] + tally.events[GAVE_UP],
    }
    return {name: count(figure) for name, figure in figures.items()}


def _mark(listed: Iterable[Waiting]) -> str:
    """What is listed, in a few letters: others where a row came, went, or changed hands."""
    rows = [(each.row.task.id, each.row.task.state, each.row.task.by) for each in listed]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]


@router.get("/today/deliveries")
def show_deliveries(visit: SeesPatients, before: str = "") -> Response:
    """Show what was set aside, refused, or may not have arrived, the newest first."""
    place = LetterPlace.parse(before) if before else None
    letters = visit.core.dead_letters.page(visit.member.clinics, limit=PAGE, before=place)
    return visit.page(
        "deliveries",
        letters=letters,
        first=place is None,
        every_clinic=not visit.member.clinics,
        telling=Telling(visit),
    )


Delivery = Annotated[str, Path(max_length=64)]


@router.post("/today/deliveries/{delivery}/retry")
def retry(visit: ChangesPatients, delivery: Delivery) -> Response:
    """Have one tried again, where it is proven not to have arrived."""
    one = DeliveryId.parse(delivery)
    if one is None:
        raise NotFound("There is no such delivery.")
    patients = visit.core.patients
    visit.require_clinic(patients.contact(patients.load(one.patient)).clinic)
    outcome = visit.core.dead_letters.retry(one, source=visit.source).outcome
    return visit.to("today/deliveries", done=outcome)
