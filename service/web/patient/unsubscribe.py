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
from service.web.pages import page

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/u", tags=["patients"], default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class _Mailbox:
    """What is known of the mailbox that a link is for.

    Attributes:
        left: no e-mail goes to it any more.
        clinics: who wrote to it.
    """

    left: bool
    clinics: list[Clinic]


@router.head("/{token}", include_in_schema=False)
@router.get("/{token}")
def ask(token: str, core: CoreOf) -> Response:
    """Ask whether to stop. It changes nothing, whoever opens it: scanners open every link."""
    try:
        digest = _digest(core, token)
        mailbox = _mailbox(core, digest)
    except InvalidToken:
        return page("bad_link", 404)
    except StoreUnavailable:
        return page("try_again", 503)
    return page("left" if mailbox.left else "leave", clinics=mailbox.clinics)


@router.post("/{token}")
def leave(token: str, core: CoreOf) -> Response:
    """Stop e-mail to the mailbox, by our page's button or by one click in a mail program.

    RFC 8058: no cookie, no redirect, any form body (``List-Unsubscribe=One-Click``, urlencoded or
    multipart). The body adds nothing to the token, so it is not read at all. Done before it
    answers; doing it again changes nothing.
    """
    try:
        digest = _digest(core, token)
        core.suppressions.suppress("email", digest, reason="one_click", source="one_click")
    except InvalidToken:
        return page("bad_link", 404)
    except StoreUnavailable:
        return page("try_again", 503)
    log.info("email_left")
    return page("left", clinics=_clinics(core, digest))


def _digest(core: Core, token: str) -> str:
    return core.keyring.open_token(UNSUBSCRIBE, token).decode()


def _mailbox(core: Core, digest: str) -> _Mailbox:
    left = False
    for identifier in core.suppressions.patients(digest):
        fields = core.patients.find(identifier)
        copy = fields.suppression("email") if fields else None
        left = left or bool(copy and copy.on)
    return _Mailbox(left, _clinics(core, digest))


def _clinics(core: Core, digest: str) -> list[Clinic]:
    """Whom to call; empty where that cannot be said (an erased patient), which stops nobody."""
    found: dict[str, Clinic] = {}
    try:
        for identifier in core.suppressions.patients(digest):
            fields = core.patients.find(identifier)
            clinic = fields and core.clinics.get(core.patients.contact(fields).clinic)
            if clinic:
                found[clinic.id] = clinic
    except AftervisitError as error:
        log.warning("clinic_unknown", fault=str(error))
    return list(found.values())
