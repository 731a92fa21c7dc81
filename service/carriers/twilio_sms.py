"""Texts by Twilio's Messages API, through Twilio's own SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.rest import Client

from service.carriers.base import (
    MAX_AGE_S,
    Found,
    Inbound,
    Outcome,
    ProviderUnreachable,
    ReceiptStatus,
    Result,
)
from service.carriers.http import Busy, Journey, NoAnswer, NotSent, TooLate, TwilioHttp, journey
from service.carriers.twilio_codes import STATUS_WORDS, failure_of, meaning_of
from service.clock import to_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio.rest.api.v2010.account.message import MessageInstance

    from service.carriers.base import OutgoingText

LONGEST_VALIDITY_S = 36_000
"""Twilio's longest ``validity_period`` and its default, seconds."""
PAGE = 200
MOST_PAGES = 500
"""A list longer than this (100,000 messages) is not read to its end in one go."""
_MOVED = frozenset({301, 307, 308})
_SERVER_GAVE_UP_READING = 408
_NOT_FOUND = 404
_MEANT = {"401": "20003", "404": "20404"}
"""A bare HTTP status, where no error JSON of Twilio's came with it, and the code it stands for."""
_MALFORMED = (ValueError, TypeError, AttributeError, KeyError)
"""What the SDK raises for an answer that is JSON of some other shape, or none."""


class TwilioSms:
    """The `TextCarrier` for Twilio.

    Args:
        account_sid: ``AC...``.
        auth_token: the account's token.
        http: the way to the network, with its deadlines; closed by `aclose`.
    """

    def __init__(self, account_sid: str, auth_token: str, http: TwilioHttp) -> None:
        self._http = http
        self._messages = Client(account_sid, auth_token, http_client=http).messages

    async def send(self, text: OutgoingText) -> Outcome:
        """Create one message, with one request; never raises for what the provider does.

        The age of the attempt is looked at before the call and again when a connection is had:
        waiting for one counts. Smart encoding is off and the body and number are retained, so that
        what was rendered is what `find` sees.
        """
        send_before = text.begun_at + MAX_AGE_S
        if time.monotonic() > send_before:
            return _too_late()
        journey.set(Journey(send_before=send_before))
        by_service = text.sender.startswith("MG")
        try:
            message = await self._messages.create_async(
                to=text.to,
                body=text.body,
                from_=unset if by_service else text.sender,
                messaging_service_sid=text.sender if by_service else unset,
                validity_period=min(text.validity_s, LONGEST_VALIDITY_S),
                smart_encoded=False,
                content_retention="retain",
                address_retention="retain",
                status_callback=text.status_callback or unset,
            )
            return _created(message)
        except (NotSent, NoAnswer, Busy, TwilioException, *_MALFORMED) as error:
            return _failed(error)

    async def find(self, to: str, since_ms: int) -> list[Found]:
        """List what Twilio has for a number, newest first.

        Twilio tells times in whole seconds, so a message of the second that ``since_ms`` lies in
        is listed. Twilio's filter by date is not used: it looks at the day of sending, which a
        queued message does not have yet. An empty list proves nothing.

        Raises:
            ProviderUnreachable: the list could not be read in full.
        """
        found = [
            _found(message)
            async for message in self._listed(to, since_ms)
            if message.direction != "inbound"
        ]
        return sorted(found, key=lambda message: message.created_ms, reverse=True)

    async def inbound(self, since_ms: int, to: str | None = None) -> list[Inbound]:
        """List what was texted to us, oldest first, received in or after ``since_ms``'s second.

        Args:
            since_ms: ms UTC.
            to: one of our numbers; None for all of the account, which reads past everything
                sent in that time too.

        Raises:
            ProviderUnreachable: the list could not be read in full.
        """
        received = [
            Inbound(
                provider_id=message.sid,
                sender=message.from_,
                to=message.to,
                body=message.body or "",
                received_ms=_created_ms(message),
            )
            async for message in self._listed(to, since_ms)
            if message.direction == "inbound"
        ]
        return sorted(received, key=lambda message: message.received_ms)

    async def received_ms(self, provider_id: str) -> int | None:
        """When Twilio received a text that somebody sent us, ms UTC, in whole seconds.

        None where Twilio has no such text.

        Raises:
            ProviderUnreachable: it did not say.
        """
        journey.set(Journey())
        try:
            message = await self._messages(provider_id).fetch_async()
            return _created_ms(message) if message.direction == "inbound" else None
        except TwilioRestException as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise _unreachable(f"HTTP {refusal.status}") from None
        except (NotSent, NoAnswer, Busy, TwilioException, *_MALFORMED) as error:
            raise _unreachable(type(error).__name__) from None

    async def redact(self, provider_id: str) -> None:
        """Have Twilio forget a message's text (an update with an empty body).

        A message that Twilio no longer has counts as done. Twilio refuses while a message is still
        on its way.

        Raises:
            ProviderUnreachable: not done.
        """
        journey.set(Journey())
        try:
            await self._messages(provider_id).update_async(body="")
        except TwilioRestException as refusal:
            if refusal.status != _NOT_FOUND:
                raise _unreachable(f"HTTP {refusal.status}") from None
        except (NotSent, NoAnswer, Busy, TwilioException, *_MALFORMED) as error:
            raise _unreachable(type(error).__name__) from None

    async def _listed(self, to: str | None, since_ms: int) -> AsyncIterator[MessageInstance]:
        """Messages since then, page after page until a whole page is older."""
        first_second = since_ms // 1000 * 1000
        seen: set[str] = set()  # a message that arrives while we read moves the pages on
        journey.set(Journey())
        try:
            page = await self._messages.page_async(to=to or unset, page_size=PAGE)
            for _ in range(MOST_PAGES):
                messages = list(page)
                recent = [m for m in messages if _created_ms(m) >= first_second]
                for message in recent:
                    if message.sid not in seen:
                        seen.add(message.sid)
                        yield message
                page = await page.next_page_async() if recent else None
                if page is None:
                    return
        except (NotSent, NoAnswer, Busy, TwilioException, *_MALFORMED) as error:
            raise _unreachable(type(error).__name__) from None
        raise _unreachable(f"more than {PAGE * MOST_PAGES:,} messages")

    async def aclose(self) -> None:
        """Close kept connections."""
        await self._http.aclose()


def _found(message: MessageInstance) -> Found:
    word, code = message.status, None if message.error_code is None else str(message.error_code)
    return Found(
        provider_id=message.sid,
        body=message.body or "",
        created_ms=_created_ms(message),
        status=word,
        code=code,
        reached=STATUS_WORDS.get(word, ReceiptStatus.QUEUED),
        outcome=failure_of(word, code, message.sid),
    )


def _created(message: MessageInstance) -> Outcome:
    """The outcome of a 2xx answer; it counts only with an id and a status that Twilio has."""
    status = STATUS_WORDS.get(message.status or "")
    if not message.sid or status is None:
        raise ValueError("a message without id or status")
    if status is ReceiptStatus.FAILED:  # there is no receipt for the first status
        code = str(message.error_code) if message.error_code is not None else None
        return meaning_of(code or "").outcome(code, provider_id=message.sid)
    return Outcome(Result.ACCEPTED, "Twilio has the text.", provider_id=message.sid)


def _failed(error: Exception) -> Outcome:
    """The outcome of a call that raised."""
    match error:
        case TooLate():
            outcome = _too_late()
        case NotSent():
            outcome = Outcome(Result.TRANSIENT, f"Twilio could not be reached ({error}).")
        case Busy():
            outcome = meaning_of("20429").outcome("20429", wait_s=error.retry_after_s)
        case NoAnswer():
            outcome = _unknown(f"Twilio did not answer ({error})")
        case TwilioRestException() | TwilioServiceException():
            outcome = _refused(error.status, str(error.code or error.status))
        case _:
            outcome = _unknown("Twilio's answer could not be read")
    return outcome


def _unknown(what: str, code: str | None = None) -> Outcome:
    return Outcome(Result.UNKNOWN, f"{what}; the text may have been taken.", code=code)


def _refused(status: int, code: str) -> Outcome:
    """The outcome of an answer other than 2xx.

    Args:
        status: the HTTP status.
        code: Twilio's code, or the status again where the answer is not Twilio's error JSON.
    """
    if code == "20429":  # never processed, whichever status it comes with
        return meaning_of(code).outcome(code)
    if status in _MOVED:
        return Outcome(
            Result.STOPPED,
            "Twilio's address answers with a redirect; correct AFTERVISIT_TWILIO_API_BASE_URL.",
            code=code,
            alert=True,
        )
    if not 400 <= status < 500 or status == _SERVER_GAVE_UP_READING:  # noqa: PLR2004 - HTTP's 4xx
        return _unknown(f"Twilio answered {status}", code)
    return meaning_of(_MEANT.get(code, code)).outcome(code)


def _too_late() -> Outcome:
    return Outcome(Result.TOO_LATE, f"Not sent: more than {MAX_AGE_S:g} s had passed since begun.")


def _created_ms(message: MessageInstance) -> int:
    return to_ms(message.date_created)


def _unreachable(why: str) -> ProviderUnreachable:
    return ProviderUnreachable(f"Twilio's list could not be read ({why}). Look again later.")
