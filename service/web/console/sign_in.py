"""The way in: password, second factor, sign-out. Nothing tells whether an account exists."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from service.accounts.sign_in import Asker, Step
from service.bootstrap import Core
from service.errors import InvalidInput
from service.web.console.access import SignedIn
from service.web.console.aside import afterwards, hashing
from service.web.console.cookies import AskerOf, forget, keep, token_of
from service.web.console.pages import CONSOLE, console_page, console_router
from service.web.console.qr import qr_of
from service.web.core import CoreOf
from service.web.language import BrowserLanguage, words
from service.web.pages import root_of
from service.web.same_origin import OwnForm

router = console_router()

_BELOW: Final = re.compile(r"(?!.*\.\.)[\w-][\w/.-]{0,200}")
"""Addresses below the console that a sign-in may lead to, and none elsewhere."""

Password = Annotated[str, Form(max_length=1024)]
Email = Annotated[str, Form(max_length=1024)]
Code = Annotated[str, Form(max_length=64)]
To = Annotated[str, Form(max_length=1024)]


@router.get("/sign-in")
def show_sign_in(
    request: Request, core: CoreOf, browser: BrowserLanguage, to: str = ""
) -> Response:
    """Ask for a password; lead on who is signed in."""
    if core.sessions.find(token_of(request, core)) is not None:
        return _led(request, to)
    return console_page(request, browser, "sign_in", to=to, email="", faults=[])


@router.post("/sign-in")
async def sign_in(
    request: Request,
    core: CoreOf,
    browser: BrowserLanguage,
    asker: AskerOf,
    _own: OwnForm,
    email: Email = "",
    password: Password = "",
    to: To = "",
) -> Response:
    """Take a password: the same answer, after the same work, whatever is wrong."""
    step = await hashing(core.sign_in.password, email, password, asker)
    afterwards(core.sign_in.tell, step)
    if step.next == "refused":
        fault = {"field": "email", "text": words(browser)["console_sign_in"]["refused"]}
        return console_page(request, browser, "sign_in", 422, to=to, email=email, faults=[fault])
    return entered(request, core, step, to)


def entered(request: Request, core: Core, step: Step, to: str = "") -> Response:
    """Where a step of a sign-in leads, with its cookies: to the second factor, or in."""
    answer = _led(request, to) if step.next == "done" else _to_second_factor(request, to)
    keep(request, answer, core, step)
    return answer


@router.get("/second-factor")
def show_second_factor(request: Request, core: CoreOf, to: str = "") -> Response:
    """Ask for a code, or show what to set up; to the sign-in where none was begun."""
    return _second_factor(request, core, core.sign_in.lacking(token_of(request, core)), to)


def _second_factor(
    request: Request, core: Core, step: Step, to: str, wrong: str = "", sealed: str = ""
) -> Response:
    """The page for a step.

    Args:
        request: of the step.
        core: the open core.
        step: from ``SignIn.lacking``.
        to: where the sign-in leads.
        wrong: what was wrong with the code: a key of the page's words.
        sealed: the secret that is being set up, to be shown once more; a new one where it is empty.
    """
    member = step.member
    if member is None:
        return _to_sign_in(request, to)
    say = words(member.language)["console_second_factor"]
    faults = [{"field": "code", "text": say[wrong]}] if wrong else []
    status = 422 if wrong else 200
    if step.next == "code":
        return console_page(request, member.language, "second_factor", status, to=to, faults=faults)
    factor = core.second_factor
    proposal = factor.proposed(member, sealed) if sealed else factor.propose(member)
    return console_page(
        request,
        member.language,
        "enrol",
        status,
        to=to,
        faults=faults,
        proposal=proposal,
        qr=qr_of(proposal.uri),
    )


@router.post("/second-factor")
def take_second_factor(
    request: Request,
    core: CoreOf,
    asker: AskerOf,
    _own: OwnForm,
    code: Code = "",
    sealed: Annotated[str, Form(max_length=1024)] = "",
    to: To = "",
) -> Response:
    """Take a code; of a factor that is being set up, show the recovery codes, once."""
    before = core.sign_in.lacking(token_of(request, core))
    if before.member is not None and before.next == "enrol":
        return _enrolled(request, core, before, asker, code, sealed, to)
    step = core.sign_in.code(before.token, code, asker)
    afterwards(core.sign_in.tell, step)
    if step.next == "done":
        return entered(request, core, step, to)
    return _second_factor(request, core, step, to, "code_wrong" if step.member else "")


def _enrolled(
    request: Request, core: Core, before: Step, asker: Asker, code: str, sealed: str, to: str
) -> Response:
    try:
        step, codes = core.sign_in.enrol(before.token, sealed, code, asker)
    except InvalidInput as fault:
        again = sealed if fault.code == "code_wrong" else ""
        return _second_factor(request, core, before, to, fault.code, again)
    if step.member is None:
        return _to_sign_in(request, to)
    answer = console_page(
        request, step.member.language, "recovery_codes", codes=codes, to=below(to)
    )
    keep(request, answer, core, step)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, visit: SignedIn) -> Response:
    """End the session, here and on the server."""
    visit.core.sessions.end(token_of(request, visit.core))
    answer = visit.to("sign-in", done="signed_out")
    forget(answer, visit.core)
    return answer


def below(to: str) -> str:
    """An address below the console that may be led to; empty where it is none."""
    return to if _BELOW.fullmatch(to) else ""


def _led(request: Request, to: str) -> Response:
    return RedirectResponse(f"{root_of(request)}{CONSOLE}/{below(to)}", 303)


def _to_second_factor(request: Request, to: str) -> Response:
    return RedirectResponse(f"{root_of(request)}{CONSOLE}/second-factor{_asked(to)}", 303)


def _to_sign_in(request: Request, to: str) -> Response:
    return RedirectResponse(f"{root_of(request)}{CONSOLE}/sign-in{_asked(to)}", 303)


def _asked(to: str) -> str:
    return f"?to={quote(below(to))}" if below(to) else ""
