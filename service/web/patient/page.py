"""The patient's page: what they get, and all that they may decide about it.

Whoever has the link has shown that the address is theirs, since it was sent there. The token stands
in the path alone: it is in no log, and no referrer carries it on. A GET changes nothing; each form
is one POST, answered by a redirect back to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from messages.errors import ContentError
from service.bootstrap import Core
from service.errors import InvalidInput
from service.preferences.access import Access
from service.preferences.choices import SOURCE
from service.preferences.overview import Overview
from service.staff.details import Details
from service.staff.subscriptions import NothingToChange
from service.store.keyring import InvalidToken
from service.store.records import CHANNELS, Channel, PatientFields
from service.web.core import CoreOf
from service.web.language import BrowserLanguage, spoken, words
from service.web.pages import page
from service.web.patient.shown import held, language_of, shown
from service.web.same_origin import OwnForm

router = APIRouter(prefix="/p/{token}", tags=["patients"], default_response_class=HTMLResponse)

NOTICES: Final = frozenset(
    (
        *("paused", "resumed", "saved", "same", "left", "sms_stopped"),
        *("email_stopped", "email_back", "erasure", "links"),
    )
)
"""What the page may be told to say after a form; nothing else in the query is looked at."""
DEEP: Final = "../../"
"""From an address below the page's to the root of the site."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody at their page."""

    core: Core
    token: str
    access: Access
    browser: str

    @property
    def person(self) -> PatientFields:
        """The one patient whose page it is.

        Raises:
            InvalidToken: the link is for several, one of whom has to be chosen first.
        """
        if len(self.access.people) > 1:
            raise InvalidToken
        return self.access.people[0]

    @property
    def view(self) -> Overview:
        """What there is to show."""
        return self.core.overviews.of(self.person)

    def back(self, done: str) -> Response:
        """Back to the page, with a notice of what was done."""
        return RedirectResponse(f"../{self.token}?done={done}", 303)


def _visit(token: str, core: CoreOf, browser: BrowserLanguage) -> _Visit:
    return _Visit(core, token, core.page_access.open(token), browser)


Visit = Annotated[_Visit, Depends(_visit)]
"""Whose page a link opens; one that opens none is answered for (see ``web.faults``)."""


@router.head("", include_in_schema=False)
@router.get("")
def show_own_page(visit: Visit, done: str = "") -> Response:
    """Show the page; where several people share an address, ask first whose."""
    people = visit.access.people
    if len(people) > 1:
        return _who(visit)
    notice = done if done in NOTICES else ""
    return _page(visit, visit.view, root="../", notice=notice)


def _who(visit: _Visit) -> Response:
    core = visit.core
    contacts = [core.patients.contact(fields) for fields in visit.access.people]
    named = [
        (contact.given_name, core.page_access.token_for(visit.access, contact.id))
        for contact in contacts
    ]
    language = spoken({contact.language for contact in contacts}, visit.browser)
    return page("preferences_who", language, people=named)


def _page(
    visit: _Visit,
    view: Overview,
    *,
    root: str,
    notice: str = "",
    fault: InvalidInput | None = None,
    typed: str = "",
) -> Response:
    language = language_of(view, visit.browser)
    say = words(language)["preferences"]
    wrong = fault and {
        "field": fault.field,
        "text": say.get(f"wrong_{fault.field}", say["wrong_other"]),
        "value": typed,
    }
    return page(
        "preferences",
        language,
        422 if fault else 200,
        **shown(view, language, visit.core.page_access.expires_ms(visit.access)),
        root=root,
        here=f"{root}p/{visit.token}",
        notice=say[f"notice_{notice}"] if notice else "",
        wrong=wrong,
    )


@router.post("/pause")
def take_break(visit: Visit, _own: OwnForm, until: Annotated[str, Form()] = "") -> Response:
    """Pause everything until a day."""
    try:
        day = date.fromisoformat(until.strip())
        visit.core.staff.pause(visit.person.id, series=None, source=SOURCE, until=day)
    except ValueError:
        fault = InvalidInput("until", "date_bad", "That is no date.")
        return _page(visit, visit.view, root=DEEP, fault=fault)
    except InvalidInput as fault:
        return _page(visit, visit.view, root=DEEP, fault=fault, typed=until.strip())
    except NothingToChange:
        return visit.back("same")
    return visit.back("paused")


@router.post("/resume")
def go_on(visit: Visit, _own: OwnForm) -> Response:
    """Go on with all that is paused, now."""
    try:
        visit.core.staff.resume(visit.person.id, series=None, source=SOURCE)
    except NothingToChange:
        return visit.back("same")
    return visit.back("resumed")


@router.post("/details")
def change_details(
    visit: Visit,
    _own: OwnForm,
    language: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "",
    bedtime: Annotated[str, Form()] = "",
    prefers: Annotated[str, Form()] = "",
) -> Response:
    """Change language, time zone, bedtime, preferred channel."""
    wanted = Details(language=language, timezone=timezone, bedtime=bedtime, prefers=prefers)
    try:
        changed = visit.core.details.change(visit.person.id, wanted, source=SOURCE)
    except InvalidInput as fault:
        return _page(visit, visit.view, root=DEEP, fault=fault)
    return visit.back("saved" if changed else "same")


@router.post("/stop")
def stop_some(visit: Visit, _own: OwnForm, what: Annotated[str, Form()] = "") -> Response:
    """Stop all texts, all e-mail, or one series by its number."""
    person, channel = visit.person, _channel(what)
    if channel is not None:
        visit.core.choices.stop(person.id, channel)
        return visit.back(f"{channel}_stopped")
    for number in person.numbers():
        if what == str(number) and visit.core.staff.leave(person.id, number, source=SOURCE):
            return visit.back("left")
    return visit.back("same")


@router.post("/start")
def start_email(visit: Visit, _own: OwnForm) -> Response:
    """Get e-mails again, where it was the patient who stopped them."""
    back = visit.core.choices.undo(visit.person.id, "email")
    return visit.back("email_back" if back else "same")


@router.post("/links")
def end_links(visit: Visit, _own: OwnForm) -> Response:
    """Make every older link dead, and go to a new one."""
    token = visit.core.page_access.renewed(visit.person.id, source=SOURCE)
    return RedirectResponse(f"../{token}?done=links", 303)


@router.post("/erase")
def ask_for_erasure(visit: Visit, _own: OwnForm) -> Response:
    """Ask staff to erase all that is held."""
    visit.core.choices.ask_for_erasure(visit.person.id)
    return visit.back("erasure")


@router.get("/record")
def read_record(visit: Visit) -> Response:
    """All that is held, to be read."""
    view = visit.view
    language = language_of(view, visit.browser)
    holdings = visit.core.holdings.of(visit.person.id)
    here = f"{DEEP}p/{visit.token}"

    def subject(message: str) -> str:
        try:
            return visit.core.renderer.blocks(message, language)["subject"]
        except ContentError:  # it has left the library, or was never written in that language
            return message.replace("-", " ")

    said = held(view, holdings, language, subject)
    return page("preferences_held", language, root=DEEP, here=here, **said)


@router.get("/record.json")
def download_record(visit: Visit) -> Response:
    """All that is held, to be kept."""
    headers = {
        "Content-Disposition": 'attachment; filename="aftervisit.json"',
        "Cache-Control": "no-store",
    }
    return JSONResponse(visit.core.holdings.of(visit.person.id), headers=headers)


def _channel(word: str) -> Channel | None:
    return next((channel for channel in CHANNELS if channel == word), None)
