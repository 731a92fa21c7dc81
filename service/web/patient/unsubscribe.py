"""Leaving by e-mail: the link at the foot of every e-mail, and the mail program's own button.

The token names the mailbox by its keyed hash; nobody can make one, and it holds no patient data.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.bootstrap import Core
from service.clinics import Clinic
from service.dispatch.compose import UNSUBSCRIBE
from service.errors import AftervisitError, StoreUnavailable
from service.preferences.overview import ONE_CLICK
from service.store.keyring import InvalidToken
from service.web.core import CoreOf
from service.web.language import BrowserLanguage, spoken
from service.web.pages import page
from service.web.same_origin import OwnForm

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/u", tags=["patients"], default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class _Owners:
    """What is known of those whose mailbox a link is for.

    Attributes:
        languages: theirs; empty where that cannot be said, as below.
        clinics: who wrote to them, and whom to call; empty where all of them are erased.
    """

    languages: set[str]
    clinics: list[Clinic]


@router.head("/{token}", include_in_schema=False)
@router.get("/{token}")
def ask(token: str, core: CoreOf, browser: BrowserLanguage, done: str = "") -> Response:
    """Ask whether to stop. It changes nothing, whoever opens it: scanners open every link."""
    try:
        digest = _digest(core, token)
        reasons = _reasons(core, digest)
    except InvalidToken:
        return page("bad_link", browser, 404)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    return _page(core, digest, browser, token, reasons, undone=done == "undone")


@router.post("/{token}/undo")
def undo_leaving(token: str, core: CoreOf, browser: BrowserLanguage, _own: OwnForm) -> Response:
    """Take the leaving back, and nothing else: what was stopped in another way stays so."""
    try:
        digest = _digest(core, token)
        core.suppressions.lift("email", digest, source=ONE_CLICK, lifts=(ONE_CLICK,))
    except InvalidToken:
        return page("bad_link", browser, 404, root="../../")
    except StoreUnavailable:
        return page("try_again", browser, 503, root="../../")
    log.info("email_leaving_undone")
    return RedirectResponse(f"../{token}?done=undone", 303)


@router.post("/{token}")
def leave(token: str, core: CoreOf, browser: BrowserLanguage) -> Response:
    """Stop e-mail to the mailbox, by our page's button or by one click in a mail program.

    RFC 8058: no cookie, no redirect, any form body (``List-Unsubscribe=One-Click``, urlencoded or
    multipart). The body adds nothing to the token, so it is not read at all. Done before it
    answers; doing it again changes nothing.
    """
    try:
        digest = _digest(core, token)
        ledger = core.suppressions.suppress(
            "email", digest, reason=ONE_CLICK, source=ONE_CLICK, own=True
        )
    except InvalidToken:
        return page("bad_link", browser, 404)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    log.info("email_left")
    return _page(core, digest, browser, token, {ledger.reason})


def _digest(core: Core, token: str) -> str:
    return core.keyring.open_token(UNSUBSCRIBE, token).decode()


def _reasons(core: Core, digest: str) -> set[str]:
    """Why e-mail to the mailbox has stopped; empty where it has not."""
    found = map(core.patients.find, core.suppressions.patients(digest))
    copies = [fields.suppression("email") for fields in found if fields]
    return {copy.reason for copy in copies if copy and copy.on}


def _page(
    core: Core,
    digest: str,
    browser: str,
    token: str,
    reasons: set[str],
    *,
    undone: bool = False,
) -> Response:
    owners = _owners(core, digest)
    language = spoken(owners.languages, browser)
    if not reasons:
        return page("leave", language, clinics=owners.clinics, undone=undone)
    undo = f"{token}/undo" if reasons == {ONE_CLICK} else ""
    return page("left", language, clinics=owners.clinics, undo=undo)


def _owners(core: Core, digest: str) -> _Owners:
    """What cannot be read of them stops nobody."""
    languages: set[str] = set()
    clinics: dict[str, Clinic] = {}
    try:
        for identifier in core.suppressions.patients(digest):
            fields = core.patients.find(identifier)
            if fields is None:
                continue
            contact = core.patients.contact(fields)
            languages.add(contact.language)
            if clinic := core.clinics.get(contact.clinic):
                clinics[clinic.id] = clinic
    except AftervisitError as error:
        log.warning("clinic_unknown", fault=str(error))
    return _Owners(languages, list(clinics.values()))
