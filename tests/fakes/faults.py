"""What the fake provider can be told to do to one request.

"before" faults happen without the message being accepted, "after" faults with it:

=================  =====================================================================
``busy``           429 with ``Retry-After: retry_after`` (default 1) and code 20429
``refuse``         HTTP ``status`` (400) with Twilio's error JSON for ``code``
``error_before``   HTTP ``status`` (500) with no Twilio body
``error_after``    the same, the message accepted
``hang_before``    no answer for ``seconds`` (3600), then the connection is closed
``hang_after``     the same, the message accepted
``close_before``   the connection is closed without an answer
``close_after``    the same, the message accepted
``cut_after``      closed in the middle of the answer, the message accepted
``drip_after``     the answer comes a byte each ``seconds`` (1), the message accepted
``delay``          handled ``seconds`` late
``late_after``     accepted at once, answered ``seconds`` late
``garbage_after``  201 with ``body`` (not JSON by default), the message accepted
``receipt_first``  the receipt ``sent`` is posted before the answer
=================  =====================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from service.carriers.sandbox.twilio_api import TwilioApi, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Fault:
    """One request that something is to happen to."""

    api: TwilioApi
    ended: asyncio.Event
    request: web.Request
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    script: dict[str, Any]

    async def accept(self) -> bytes:
        """Take the message after all; the answer that would have been given."""
        answer = await self.handler(self.request)
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        return answer.body

    async def wait(self, seconds: float) -> None:
        """Wait, or until the provider is ended."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)

    def close(self) -> web.StreamResponse:
        """Close the connection."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()


async def _busy(fault: Fault) -> web.StreamResponse:
    answer = refusal(20429, 429, "Too Many Requests")
    answer.headers["Retry-After"] = str(fault.script.get("retry_after", 1))
    return answer


async def _refuse(fault: Fault) -> web.StreamResponse:
    return refusal(fault.script["code"], fault.script.get("status"))


async def _error_before(fault: Fault) -> web.StreamResponse:
    status = fault.script.get("status", 500)
    headers = {"Location": "/elsewhere"} if status // 100 == 3 else {}
    return web.Response(status=status, text="<html>no</html>", headers=headers)


async def _error_after(fault: Fault) -> web.StreamResponse:
    await fault.accept()
    return await _error_before(fault)


async def _hang_before(fault: Fault) -> web.StreamResponse:
    await fault.wait(fault.script.get("seconds", 3600))
    return fault.close()


async def _hang_after(fault: Fault) -> web.StreamResponse:
    await fault.accept()
    return await _hang_before(fault)


async def _close_before(fault: Fault) -> web.StreamResponse:
    return fault.close()


async def _close_after(fault: Fault) -> web.StreamResponse:
    await fault.accept()
    return fault.close()


async def _cut_after(fault: Fault) -> web.StreamResponse:
    body = await fault.accept()
    answer = web.StreamResponse(status=201, headers={"Content-Length": str(len(body))})
    await answer.prepare(fault.request)
    await answer.write(body[: len(body) // 2])
    return fault.close()


async def _drip_after(fault: Fault) -> web.StreamResponse:
    body = await fault.accept()
    answer = web.StreamResponse(status=201, headers={"Content-Length": str(len(body))})
    await answer.prepare(fault.request)
    with contextlib.suppress(ConnectionError):
        for byte in body:
            await answer.write(bytes([byte]))
            await fault.wait(fault.script.get("seconds", 1))
    return answer


async def _delay(fault: Fault) -> web.StreamResponse:
    await fault.wait(fault.script["seconds"])
    return await fault.handler(fault.request)


async def _late_after(fault: Fault) -> web.StreamResponse:
    body = await fault.accept()
    await fault.wait(fault.script["seconds"])
    return web.Response(status=201, body=body, content_type="application/json")


async def _garbage_after(fault: Fault) -> web.StreamResponse:
    await fault.accept()
    return web.Response(status=201, text=fault.script.get("body", "<html>moved</html>"))


async def _receipt_first(fault: Fault) -> web.StreamResponse:
    receipts, fault.api.receipts = fault.api.receipts, False
    answer = await fault.handler(fault.request)
    fault.api.receipts = receipts
    await fault.api.receipt(next(fault.api.texts.newest_first()), "sent")
    return answer


FAULTS: dict[str, Callable[[Fault], Awaitable[web.StreamResponse]]] = {
    "busy": _busy,
    "refuse": _refuse,
    "error_before": _error_before,
    "error_after": _error_after,
    "hang_before": _hang_before,
    "hang_after": _hang_after,
    "close_before": _close_before,
    "close_after": _close_after,
    "cut_after": _cut_after,
    "drip_after": _drip_after,
    "delay": _delay,
    "late_after": _late_after,
    "garbage_after": _garbage_after,
    "receipt_first": _receipt_first,
}
