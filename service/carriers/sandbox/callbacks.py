"""What Twilio would post to us: status callbacks and inbound texts, signed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from twilio.request_validator import SIGNATURE_HEADER

from service.carriers.twilio_webhooks import TwilioSignatures

if TYPE_CHECKING:
    from collections.abc import Coroutine

DEADLINE_S = 15.0
AT_ONCE = 16
FIRST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook of ours answered."""

    status: int
    body: str


class Callbacks:
    """Posts forms as Twilio does: signed, and retried only where the URL's fragment asks for it.

    ``#rc=3`` asks for up to three retries (https://www.twilio.com/docs/usage/webhooks/
    webhooks-connection-overrides); the fragment is neither sent nor signed.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self._signatures = TwilioSignatures(auth_token, "")
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def soon(self, work: Coroutine[None, None, None]) -> None:
        """Do something after the answer to the current request has gone."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(self, url: str, fields: dict[str, str]) -> int | None:
        """Post one form; the HTTP status of the last try, or None where nobody answered."""
        answer = await self.ask(url, fields)
        return answer.status if answer else None

    async def ask(self, url: str, fields: dict[str, str]) -> Answer | None:
        """Post one form; the answer to the last try, or None where nobody answered."""
        address, _, fragment = url.partition("#")
        retries = int(parse_qs(fragment).get("rc", ["0"])[0])
        answer = None
        for attempt in range(retries + 1):
            if attempt:
                await asyncio.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
            answer = await self._once(address, fields)
            if answer is not None and answer.status < 500:  # noqa: PLR2004 - HTTP's server errors
                break
        return answer

    async def _once(self, address: str, fields: dict[str, str]) -> Answer | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=DEADLINE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {
            SIGNATURE_HEADER: self._signatures.sign(address, list(fields.items())),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
        }
        if urlsplit(address).scheme not in {"http", "https"}:
            return None
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                self._gate,
                self._session.post(
                    address, data=urlencode(fields), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return Answer(answer.status, await answer.text())
        return None

    async def settled(self) -> None:
        """Wait until nothing is left to post."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Drop what is left to post, and close connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
