"""Twilio's Messages API as far as the service uses it, for the sandbox and for tests.

Shapes follow https://www.twilio.com/docs/messaging/api/message-resource; refusals are of the form
that Twilio gives (https://www.twilio.com/docs/usage/twilios-response).
"""

from __future__ import annotations

import base64
import hmac
import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from service.carriers.sandbox.texts import FROM_API, INBOUND, Text, new_sid
from service.clock import SystemClock, from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from service.carriers.sandbox.callbacks import Callbacks
    from service.carriers.sandbox.texts import TextLog

_E164 = re.compile(r"\+[1-9]\d{7,14}")
_LONGEST = 1600
_MOST_A_PAGE = 1000
MAGIC = {"+15005550001": 21211, "+15005550003": 21408, "+15005550009": 21614}
"""Numbers that are always refused (https://www.twilio.com/docs/iam/test-credentials)."""
REASONS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number or a 'MessagingServiceSid' is required."),
    21604: (400, "A 'To' phone number is required."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}


def refusal(code: int, status: int | None = None, message: str | None = None) -> web.Response:
    """An error as Twilio words it."""
    known_status, known_message = REASONS.get(code, (400, "Refused"))
    body = {
        "code": code,
        "message": message or known_message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status or known_status,
    }
    return web.json_response(body, status=status or known_status)


class TwilioApi:
    """The API of one account.

    Args:
        account_sid: the only account there is.
        auth_token: its token.
        texts: where messages are kept.
        callbacks: how receipts get to us.
        business_ms: business time, ms UTC, for the page.
        receipts: whether ``sent`` and ``delivered`` follow each message by themselves.
        pool_number: the number that a messaging service sends from.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        texts: TextLog,
        callbacks: Callbacks,
        *,
        business_ms: Callable[[], int],
        receipts: bool = True,
        pool_number: str = "+15005550006",
    ) -> None:
        self.account_sid = account_sid
        self.texts = texts
        self.callbacks = callbacks
        self.receipts = receipts
        self.pool_number = pool_number
        self._authorization = "Basic " + base64.b64encode(
            f"{account_sid}:{auth_token}".encode()
        ).decode("ascii")
        self._business_ms = business_ms
        self._clock = SystemClock()

    def routes(self) -> list[web.RouteDef]:
        """The API's routes."""
        base = "/2010-04-01/Accounts/{account}/Messages"
        return [
            web.post(f"{base}.json", self.create),
            web.get(f"{base}.json", self.index),
            web.get(f"{base}/{{sid}}.json", self.fetch),
            web.post(f"{base}/{{sid}}.json", self.update),
        ]

    def _denied(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._authorization.encode()):
            return refusal(20003)
        if request.match_info["account"] != self.account_sid:
            return refusal(20404)
        return None

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Take a message."""
        if denied := self._denied(request):
            return denied
        form = {name: str(value) for name, value in (await request.post()).items()}
        code = self._fault(form)
        if code is not None:
            return refusal(code)
        text = self.take(form)
        answer = web.json_response(self.resource(text), status=201)
        self.callbacks.soon(self._deliver(text))
        return answer

    def take(self, form: Mapping[str, str]) -> Text:
        """Keep a new outgoing message; no receipt is sent."""
        service = form.get("MessagingServiceSid")
        text = Text(
            sid=new_sid(),
            direction=FROM_API,
            sender=form.get("From") or self.pool_number,
            to=form["To"],
            written=form["Body"],
            body=form["Body"],
            created_ms=self._clock.now_ms(),
            shown_ms=self._business_ms(),
            status="accepted" if service else "queued",
            fields=dict(form),
        )
        self.texts.add(text)
        return text

    def _fault(self, form: Mapping[str, str]) -> int | None:
        to = form.get("To")
        body = form.get("Body")
        checks = (
            (not to, 21604),
            (not body, 21602),
            (not (form.get("From") or form.get("MessagingServiceSid")), 21603),
            (to in MAGIC, MAGIC.get(to or "")),
            (not _E164.fullmatch(to or ""), 21211),
            (len(body or "") > _LONGEST, 21617),
            (self.texts.opted_out(to or ""), 21610),
        )
        return next((code for wrong, code in checks if wrong), None)

    async def _deliver(self, text: Text) -> None:
        if self.receipts:
            for status in ("sent", "delivered"):
                await self.receipt(text, status)

    async def receipt(self, text: Text, status: str, code: int | None = None) -> int | None:
        """Move a message and post the callback, if it has one; the HTTP status it met."""
        self.texts.move(text.sid, status, code)
        url = text.fields.get("StatusCallback")
        if not url:
            return None
        fields = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsSid": text.sid,
            "SmsStatus": status,
            "To": text.to,
        }
        if code is not None:
            fields["ErrorCode"] = str(code)
        return await self.callbacks.post(url, fields)

    async def index(self, request: web.Request) -> web.StreamResponse:
        """List messages, newest first, a page at a time."""
        if denied := self._denied(request):
            return denied
        size = min(max(int(request.query.get("PageSize", "50")), 1), _MOST_A_PAGE)
        page = int(request.query.get("Page", "0"))
        chosen, more = self._page(request.query, size)
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        query = {k: v for k, v in request.query.items() if k not in {"Page", "PageToken"}}
        body = {
            "messages": [self.resource(text) for text in chosen],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(chosen) - 1, 0),
            "uri": f"{path}?{urlencode(query)}",
            "first_page_uri": f"{path}?{urlencode({**query, 'Page': '0'})}",
            "previous_page_uri": None,
            "next_page_uri": None,
        }
        if more:
            token = {"Page": str(page + 1), "PageToken": "PA" + chosen[-1].sid}
            body["next_page_uri"] = f"{path}?{urlencode({**query, **token})}"
        return web.json_response(body)

    def _page(self, query: Mapping[str, str], size: int) -> tuple[list[Text], bool]:
        to, sender = query.get("To"), query.get("From")
        after = query.get("PageToken", "").removeprefix("PA")
        chosen: list[Text] = []
        for text in self.listed(to):
            if after:
                after = "" if text.sid == after else after
                continue
            if (to and text.to != to) or (sender and text.sender != sender):
                continue
            if len(chosen) == size:
                return chosen, True
            chosen.append(text)
        return chosen, False

    def listed(self, to: str | None) -> Iterable[Text]:
        """What the list shows just now, newest first; a test's provider lets it lag."""
        return self.texts.newest_first(to if to in self.texts.phones() else None)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """Show one message."""
        if denied := self._denied(request):
            return denied
        text = self.texts.get(request.match_info["sid"])
        return refusal(20404) if text is None else web.json_response(self.resource(text))

    async def update(self, request: web.Request) -> web.StreamResponse:
        """Redact a message's text (empty ``Body``) or cancel a queued message."""
        if denied := self._denied(request):
            return denied
        text = self.texts.get(request.match_info["sid"])
        if text is None:
            return refusal(20404)
        form = await request.post()
        if form.get("Body") == "":
            self.texts.redact(text.sid)
        if form.get("Status") == "canceled":
            self.texts.move(text.sid, "canceled")
        return web.json_response(self.resource(text))

    def resource(self, text: Text) -> dict[str, Any]:
        """A message as Twilio shows it."""
        created = format_datetime(from_ms(text.created_ms), usegmt=False)
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{text.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": text.body,
            "date_created": created,
            "date_sent": None if text.status in {"queued", "accepted"} else created,
            "date_updated": created,
            "direction": text.direction,
            "error_code": text.error_code,
            "error_message": None,
            "from": None if text.status == "accepted" else text.sender,
            "messaging_service_sid": text.fields.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "0" if text.status == "accepted" else str(text.segments),
            "price": None,
            "price_unit": "USD",
            "sid": text.sid,
            "status": "received" if text.direction == INBOUND else text.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": text.to,
            "uri": f"{path}.json",
        }
