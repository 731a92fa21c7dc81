"""How our errors are told over HTTP: the status, and nothing of what happened inside."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import PlainTextResponse, Response

from service.errors import AftervisitError, NotFound, StoreUnavailable

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5


def install(application: FastAPI) -> None:
    """Teach an application our errors.

    Nothing is acknowledged while the store is away or misconfigured: 503 has Twilio and mail
    providers try again.
    """
    application.add_exception_handler(AftervisitError, _unavailable)
    application.add_exception_handler(NotFound, _not_found)
    application.add_exception_handler(RequestValidationError, _unreadable)


async def _unavailable(_request: Request, fault: Exception) -> Response:
    if not isinstance(fault, StoreUnavailable):
        log.error("not_configured", kind=type(fault).__name__, fault=str(fault))
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return PlainTextResponse("Not available just now. Try again.\n", 503, headers)


async def _not_found(_request: Request, _fault: Exception) -> Response:
    return PlainTextResponse("Not found.\n", 404)


async def _unreadable(_request: Request, _fault: Exception) -> Response:
    """FastAPI's own answer would repeat what was sent."""
    return PlainTextResponse("The request cannot be read.\n", 422)
