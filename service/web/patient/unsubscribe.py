"""Leaving by e-mail: the link at the foot of every e-mail, and the mail program's own button.

The token names the mailbox by its keyed hash; nobody can make one, and it holds no patient data.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from service.bootstrap import Core
from service.clinics import Clinic
from service.dispatch.compose import UNSUBSCRIBE
from service.errors import AftervisitError, StoreUnavailable
from service.store.keyring import InvalidToken
from service.web.core import CoreOf
from service.web.language import BrowserLanguage, spoken
from service.web.pages import page

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
def ask(token: str, core: CoreOf, browser: BrowserLanguage) -> Response:
    """Ask whether to stop. It changes nothing, whoever opens it: scanners open every link."""
    try:
        digest = _digest(core, token)
        name = "left" if _has_left(core, digest) else "leave"
    except InvalidToken:
        return page("bad_link", browser, 404)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    return _page(name, core, digest, browser)


@router.post("/{token}")
def leave(token: str, core: CoreOf, browser: BrowserLanguage) -> Response:
    """Stop e-mail to the mailbox, by our page's button or by one click in a mail program.

    RFC 8058: no cookie, no redirect, any form body (``List-Unsubscribe=One-Click``, urlencoded or
    multipart). The body adds nothing to the token, so it is not read at all. Done before it
    answers; doing it again changes nothing.
    """
    try:
        digest = _digest(core, token)
        core.suppressions.suppress("email", digest, reason="one_click", source="one_click")
    except InvalidToken:
        return page("bad_link", browser, 404)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    log.info("email_left")
    return _page("left", core, digest, browser)


def _digest(core: Core, token: str) -> str:
    return core.keyring.open_token(UNSUBSCRIBE, token).decode()


def _has_left(core: Core, digest: str) -> bool:
    found = map(core.patients.find, core.suppressions.patients(digest))
    copies = [fields.suppression("email") for fields in found if fields]
    return any(copy and copy.on for copy in copies)


def _page(name: str, core: Core, digest: str, browser: str) -> Response:
    owners = _owners(core, digest)
    return page(name, spoken(owners.languages, browser), clinics=owners.clinics)


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
