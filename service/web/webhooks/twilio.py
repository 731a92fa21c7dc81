"""Twilio's webhooks: genuine or refused, then one use case, then the answer.

Both stand under ``PUBLIC_URL``, to which the signature belongs, whatever a proxy did to the
request. Configure the inbound one with ``#rc=3&rp=all``: Twilio then tries again after a failure.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.responses import Response
from twilio.twiml.messaging_response import MessagingResponse

from service.bootstrap import Core
from service.carriers.twilio_webhooks import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    UnreadableReceipt,
    receipt_of,
)
from service.errors import NotFound
from service.inbox.receive import InboundText
from service.store.keys import is_attempt_id
from service.web.core import CoreOf

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/webhooks/twilio", tags=["webhooks"])

FORM: Final = "application/x-www-form-urlencoded"
MOST_DIGITS: Final = 3
"""Of a count of pictures, of which a message has ten at most."""
Form = dict[str, str]


async def signed_form(request: Request) -> Form:
    """The fields of a form that Twilio signed; nothing of it is read before that is certain.

    Raises:
        HTTPException: 413 too large, 403 not signed by Twilio, 415 no form.
    """
    core: Core = request.app.state.core
    body = await request.body()
    content_type = request.headers.get("content-type", "")
    target = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    signatures = core.twilio_signatures
    fields = (
        None
        if signatures is None
        else signatures.signed(
            f"{target}?{query}" if query else target,
            body,
            content_type,
            request.headers.get(SIGNATURE_HEADER),
            request.headers.get(SIGNATURE_SETTINGS_HEADER),
        )
    )
    if fields is None:
        log.warning("webhook_refused", token_set=signatures is not None)
        raise HTTPException(403)
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415)
    return fields.latest()


SignedForm = Annotated[Form, Depends(signed_form)]


@router.post("/inbound", response_class=Response)
async def inbound(request: Request) -> Response:
    """Take a text from a patient. Its effects are durable before this answers, in TwiML.

    Written without dependencies, each of which costs a tenth of the whole: no other request of
    ours comes in such numbers.
    """
    form = await signed_form(request)
    if not form.get("MessageSid") or not form.get("From"):
        raise HTTPException(400)
    core: Core = request.app.state.core
    text = InboundText(
        message_id=form["MessageSid"],
        sender=form["From"],
        to=form.get("To", ""),
        body=form.get("Body", ""),
        messaging_service=form.get("MessagingServiceSid", ""),
        opt_out_type=form.get("OptOutType", ""),
        media=_count(form.get("NumMedia", "")),
    )
    reaction = await asyncio.to_thread(core.inbox.receive, text)
    return Response(_twiml(reaction.reply or ""), media_type="application/xml")


@lru_cache(maxsize=256)
def _twiml(answer: str) -> str:
    """What Twilio is to answer, nothing where that is empty; the same words go to many."""
    document = MessagingResponse()
    if answer:
        document.message(answer)
    return str(document)


@router.post("/status", status_code=204, response_class=Response)
def status(form: SignedForm, core: CoreOf, a: Annotated[str, Query()] = "") -> Response:
    """Take a receipt. One of an attempt that nobody knows (any more) is none of our business."""
    try:
        receipt = receipt_of(form, a if is_attempt_id(a) else None)
    except UnreadableReceipt:
        raise HTTPException(400) from None
    try:
        known = core.receipts.apply(receipt)
    except NotFound:
        known = False  # the patient was erased meanwhile
    if not known:
        log.info("receipt_without_attempt")
    return Response(status_code=204)


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else 0
