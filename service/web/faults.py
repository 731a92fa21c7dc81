"""How our errors are told over HTTP: the status, and nothing of what happened inside."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import PlainTextResponse, Response

from service.errors import AftervisitError, NotFound, StoreUnavailable
from service.store.keyring import InvalidToken
from service.web.language import preferred
from service.web.pages import page, root_of

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5


def install(application: FastAPI) -> None:
    """Teach an application our errors.

    Nothing is acknowledged while the store is away or misconfigured: 503 has Twilio and mail
    providers try again.
    """
    application.add_exception_handler(AftervisitError, _unavailable)
    application.add_exception_handler(NotFound, not_found)
    application.add_exception_handler(InvalidToken, _bad_link)
    application.add_exception_handler(RequestValidationError, _unreadable)


async def _unavailable(request: Request, fault: Exception) -> Response:
    if not isinstance(fault, StoreUnavailable):
        log.error("not_configured", kind=type(fault).__name__, fault=str(fault))
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if "text/html" in request.headers.get("accept", ""):
        answer = page("try_again", _language(request), 503, root=root_of(request))
        answer.headers.update(headers)
        return answer
    return PlainTextResponse("Not available just now. Try again.\n", 503, headers)


async def _bad_link(request: Request, _fault: Exception) -> Response:
    """The same for a link that never was one, has expired, or was ended."""
    return page("link_over", _language(request), 404, root=root_of(request))


def _language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


async def not_found(_request: Request, _fault: Exception) -> Response:
    """Nothing is there, and nothing more is said."""
    return PlainTextResponse("Not found.\n", 404)


async def _unreadable(_request: Request, _fault: Exception) -> Response:
    """FastAPI's own answer would repeat what was sent."""
    return PlainTextResponse("The request cannot be read.\n", 422)
