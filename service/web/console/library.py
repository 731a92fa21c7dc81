"""The library: every message as the phone and the mailbox show it, and all that is known of it."""

from __future__ import annotations

from typing import Final, get_args

from starlette.responses import HTMLResponse, Response

from messages.catalog import Message, Strand
from messages.errors import UnknownLanguage, UnknownMessage
from schedules.series import list_series
from service.authoring.library import Card, Filter
from service.clock import from_ms
from service.errors import NotFound
from service.web.console.access import SeesContent, Visit
from service.web.console.account import LANGUAGE_NAMES
from service.web.console.pages import HTMX_POLICY, console_router
from service.web.frontier import POLICY
from service.web.when import spoken_date

router = console_router()

FRAMING: Final = f"{HTMX_POLICY}; frame-src 'self'"
"""The policy of the page of a message: the e-mail is shown in a frame, from here only."""
FRAMED: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""The policy of an e-mail in its frame. It has the styles that mailboxes get, which stand in the
text itself, and no script, image, link or form works there, nor is it of our origin."""


@router.get("/library")
def list_messages(
    visit: SeesContent, strand: str = "", series: str = "", overdue: str = ""
) -> Response:
    """List the messages."""
    strands, names = get_args(Strand), sorted({each.name for each in list_series()})
    wanted = Filter(
        strand if strand in strands else "",
        series if series in names else "",
        overdue == "1",
    )
    say = visit.say("library")
    today = from_ms(visit.core.business.now_ms()).date()
    rows = visit.core.library.rows(wanted, today)
    return visit.page(
        "library",
        rows=[(row, spoken_date(row.due, visit.language)) for row in rows],
        wanted=wanted,
        strands=[("", say["every_strand"]), *((each, say[f"strand_{each}"]) for each in strands)],
        names=[("", say["every_series"]), *((name, name) for name in names)],
        late=sum(row.overdue for row in rows),
    )


@router.get("/library/{message}")
def show_message(visit: SeesContent, message: str, language: str = "") -> Response:
    """Show one message in one of its languages."""
    known = _message(visit, message)
    wanted = language or (visit.language if visit.language in known.languages else "en")
    card = _card(visit, message, wanted)
    answer = visit.page(
        "library_message",
        card=card,
        languages=[(each, LANGUAGE_NAMES.get(each, each)) for each in known.languages],
        reviewed=spoken_date(known.reviewed, visit.language),
        due=spoken_date(card.due, visit.language),
    )
    answer.headers[POLICY] = FRAMING
    return answer


@router.get("/library/{message}/{language}/mail")
def show_mail(visit: SeesContent, message: str, language: str) -> Response:
    """The e-mail itself, for its frame."""
    return HTMLResponse(_card(visit, message, language).email.html, headers={POLICY: FRAMED})


def _message(visit: Visit, name: str) -> Message:
    try:
        return visit.core.catalog[name]
    except UnknownMessage:
        raise NotFound("There is no such message.") from None


def _card(visit: Visit, message: str, language: str) -> Card:
    today = from_ms(visit.core.business.now_ms()).date()
    try:
        return visit.core.library.card(message, language, today, visit.clinics)
    except (UnknownMessage, UnknownLanguage):
        raise NotFound("There is no such message in that language.") from None
