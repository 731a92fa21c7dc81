"""Passwords by a link, asked for on the way in or sent to who is invited; a GET changes nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from service.accounts.invitations import LinkDead
from service.bootstrap import Core
from service.errors import InvalidInput
from service.web.console.aside import afterwards, hashing
from service.web.console.cookies import AskerOf
from service.web.console.pages import console_page, console_router
from service.web.console.sign_in import Email, Password, entered
from service.web.core import CoreOf
from service.web.language import BrowserLanguage, words
from service.web.same_origin import OwnForm
from service.web.source import SourceOf

router = console_router()

Token = Annotated[str, Path(max_length=100)]


@router.get("/forgotten")
def ask_for_address(request: Request, browser: BrowserLanguage) -> Response:
    """Ask for the address that a link goes to."""
    return console_page(request, browser, "forgotten", sent=False, busy=False)


@router.post("/forgotten")
def send_link(
    request: Request,
    core: CoreOf,
    browser: BrowserLanguage,
    source: SourceOf,
    _own: OwnForm,
    email: Email = "",
) -> Response:
    """Send a link to who has that address, if anybody has; answer the same either way."""
    if not core.invitations.may_ask(source):
        return console_page(request, browser, "forgotten", 429, sent=False, busy=True)
    afterwards(core.invitations.ask, email)
    return console_page(request, browser, "forgotten", sent=True, busy=False)


@router.get("/invitation/{token}")
@router.get("/reset/{token}")
def show_link(request: Request, core: CoreOf, browser: BrowserLanguage, token: Token) -> Response:
    """Ask for a new password; the link stays as it is."""
    return _choose(request, core, browser, token)


def _choose(
    request: Request, core: Core, browser: str, token: str, fault: InvalidInput | None = None
) -> Response:
    try:
        member = core.invitations.open(token).account.member
    except LinkDead:
        return console_page(request, browser, "link_dead", 404)
    faults = []
    if fault is not None:
        text = words(member.language)["console_faults"].get(fault.code, str(fault))
        faults = [{"field": "password", "text": text}]
    status = 422 if faults else 200
    return console_page(
        request, member.language, "choose_password", status, member=member, faults=faults
    )


@router.post("/invitation/{token}")
@router.post("/reset/{token}")
async def use_link(
    request: Request,
    core: CoreOf,
    browser: BrowserLanguage,
    asker: AskerOf,
    _own: OwnForm,
    token: Token,
    password: Password = "",
) -> Response:
    """Set the password, which uses the link up, and go on to sign in."""
    try:
        member = await hashing(core.invitations.choose_password, token, password)
    except InvalidInput as fault:
        return await hashing(_choose, request, core, browser, token, fault)
    except LinkDead:
        return console_page(request, browser, "link_dead", 404)
    step = await hashing(core.sign_in.go_on, member.id, asker)
    return entered(request, core, step)
