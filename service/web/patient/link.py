"""The form that asks for a link to the patient's page. Whoever fills it in learns nothing by it.

The answer is the same, and goes out before anything is looked up: neither its words nor how long it
takes tell whether an address is a patient's.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Form
from starlette.responses import HTMLResponse, Response

from service.bootstrap import Core
from service.errors import AftervisitError, InvalidInput
from service.store.records import Channel
from service.web.core import CoreOf
from service.web.language import BrowserLanguage
from service.web.pages import page
from service.web.same_origin import OwnForm
from service.web.source import SourceOf

log = structlog.get_logger(__name__)

_SENDING: Final = ThreadPoolExecutor(2, thread_name_prefix="page-link")
"""Beside the request: one that was to run behind the answer would hold up the next one on the same
connection, for longer where the address is known."""

router = APIRouter(prefix="/p", tags=["patients"], default_response_class=HTMLResponse)


@router.head("", include_in_schema=False)
@router.get("")
def ask_for_link(browser: BrowserLanguage) -> Response:
    """Ask for an address."""
    return page("link_ask", browser, root="", wrong=False)


@router.post("")
def send_link(
    core: CoreOf,
    browser: BrowserLanguage,
    source: SourceOf,
    _own: OwnForm,
    address: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Send a link to an address, where it is known, and answer the same where it is not."""
    if not core.page_requests.may_ask(source):
        return page("link_busy", browser, 429, root="")
    try:
        channel, normal = core.page_requests.address(address)
    except InvalidInput:
        return page("link_ask", browser, 422, root="", wrong=True)
    _SENDING.submit(_send, core, channel, normal)
    return page("link_sent", browser, root="")


def _send(core: Core, channel: Channel, address: str) -> None:
    try:
        core.page_requests.send(channel, address)
    except AftervisitError as fault:
        log.error("page_link_not_sent", fault=str(fault))
    except Exception as fault:  # noqa: BLE001 - its text may hold patient data
        log.error("page_link_not_sent", fault=type(fault).__name__)
