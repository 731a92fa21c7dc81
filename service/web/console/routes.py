"""The console's routes, and what is answered where somebody may not use them."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import RedirectResponse, Response

from service.errors import NotFound
from service.web import faults
from service.web.console import (
    account,
    audit,
    correction,
    imports,
    inbox,
    insight,
    library,
    links,
    members,
    moves,
    patients,
    patients_contact,
    patients_enrol,
    patients_message,
    patients_page,
    patients_series,
    series,
    sign_in,
    task_forms,
    today,
)
from service.web.console.access import NotAllowed, NotSignedIn, SignedIn, Visit
from service.web.console.pages import CONSOLE, console_page, console_router
from service.web.console.sections import sections_of
from service.web.language import preferred
from service.web.pages import root_of

PARTS: Final[tuple[APIRouter, ...]] = (
    sign_in.router,
    links.router,
    account.router,
    members.router,
    insight.router,
    patients.router,
    patients_enrol.router,
    patients_page.router,
    patients_series.router,
    patients_contact.router,
    patients_message.router,
    imports.router,
    today.router,
    inbox.router,
    correction.router,
    task_forms.router,
    library.router,
    moves.router,  # before what may be any series' name
    series.router,
    audit.router,
)
"""One router a page or a few, each from ``pages.console_router``."""
_rest = console_router()


@_rest.get("")
@_rest.get("/")
def go_to_first_page(visit: SignedIn) -> Response:
    """Lead to the first section that the member may see."""
    return visit.to(sections_of(visit.member)[0].path)


@_rest.get("/{anything:path}")
def no_such_page(visit: SignedIn, anything: str) -> Response:  # noqa: ARG001 - any address
    """Say to those who are signed in that there is no such page."""
    return visit.page("missing", 404)


def install(application: FastAPI) -> None:
    """Put the console into the application, after everything else of ours."""
    for part in (*PARTS, _rest):
        application.include_router(part)
    application.add_exception_handler(NotSignedIn, _to_sign_in)
    application.add_exception_handler(NotAllowed, _not_allowed)
    application.add_exception_handler(NotFound, _not_found)


async def _to_sign_in(request: Request, _fault: Exception) -> Response:
    """To the sign-in, and afterwards back to where a reader wanted to go."""
    there = f"{root_of(request)}{CONSOLE}/sign-in"
    if request.method == "GET":
        path = request.url.path.rpartition(f"/{CONSOLE}")[2].strip("/")
        there += f"?to={quote(path)}" if path else ""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": there})
    return RedirectResponse(there, 303)


async def _not_allowed(request: Request, _fault: Exception) -> Response:
    return _told(request, "not_allowed", 403)


async def _not_found(request: Request, fault: Exception) -> Response:
    """A patient, task or file that is not there, or is none of the member's, is one answer."""
    if f"/{CONSOLE}/" not in request.url.path:
        return await faults.not_found(request, fault)
    return _told(request, "missing", 404)


def _told(request: Request, name: str, status: int) -> Response:
    """A page of few words, with the navigation where it is known who is reading."""
    visit: Visit | None = getattr(request.state, "visit", None)
    if visit is not None:
        return visit.page(name, status)
    return console_page(
        request, preferred(request.headers.get("accept-language", "")), name, status
    )
