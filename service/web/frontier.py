"""What every request passes: its body, security headers, an access log that tells nobody apart.

One plain ASGI layer around the application. It also is the last to see a fault: the answer then
says nothing of it, and the log its kind and place, but not its text, which may hold patient data.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.bodies import PACE, Body, Pace

log = structlog.get_logger("service.web.access")

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request's body; a webhook of the longest text has 8 KB."""
FILE_LIMIT: Final = 192 * 1024 * 1024
"""The same where a file of patients is uploaded: a million rows of nearly 200 letters."""
UPLOADS: Final = frozenset({("POST", "/console/imports")})
"""Where files are uploaded; by whom is asked before anything of them is read."""
HSTS: Final = "max-age=31536000"
POLICY: Final = "Content-Security-Policy"
"""Name of the header that says where anything on a page may come from."""
PLAIN: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of pages; none of them has a script, but for those that say so."""
SCRIPTED_POLICY: Final = f"{PLAIN}; script-src 'self'"
SCRIPTED: Final = {POLICY: SCRIPTED_POLICY}
"""The header of a page that has a script of ours, without which it works as well."""
SECURITY_HEADERS: Final = {
    POLICY: PLAIN,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer (OWASP ASVS 5.0, chapter 3)."""

_OWN: Final = {POLICY: PLAIN, "Cache-Control": "no-store"}
"""Headers that an answer may have of its own: a page with a script its policy, for instance."""


class Frontier:
    """The outermost layer of the web application.

    Args:
        application: what it is put around.
        https: whether patients reach us by https, so that browsers are told to keep to it.
        pace: how slowly a body may come.
    """

    def __init__(self, application: ASGIApp, *, https: bool, pace: Pace = PACE) -> None:
        self._application = application
        self._pace = pace
        headers = {**SECURITY_HEADERS, **({"Strict-Transport-Security": HSTS} if https else {})}
        self._always = _on_the_wire({n: v for n, v in headers.items() if n not in _OWN})
        self._by_default = _on_the_wire(_OWN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = FILE_LIMIT if (scope["method"], path) in UPLOADS else BODY_LIMIT
        body = Body(scope["headers"], receive, limit, self._pace)
        passage = _Passage(body, send, self._always, self._by_default)
        started = time.perf_counter()
        try:
            await self._application(scope, body.receive, passage.send)
        except Exception as fault:  # noqa: BLE001 - the last to see it; nothing of it gets out
            log.error("request_failed", kind=type(fault).__name__, at=_place(fault))
            if not passage.status:
                answer = PlainTextResponse("Something went wrong on our side.\n", 500)
                await answer(scope, receive, passage.send)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", "-"),
                status=passage.status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        await passage.end()


class _Passage:
    """The answer to one request, on its way out."""

    def __init__(
        self,
        body: Body,
        send: Send,
        always: Mapping[bytes, bytes],
        by_default: Mapping[bytes, bytes],
    ) -> None:
        self._body = body
        self._send = send
        self._always = always
        self._by_default = by_default
        self._held = False
        self.status = 0

    async def send(self, message: Message) -> None:
        """The next part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._body.drain(0)  # what has come already
            theirs = {name for name, _ in message["headers"]} - self._always.keys()
            message["headers"] = [
                *(pair for pair in message["headers"] if pair[0] in theirs),
                *self._always.items(),
                *(pair for pair in self._by_default.items() if pair[0] not in theirs),
                *(() if self._body.over else ((b"connection", b"close"),)),
            ]
        elif not self._body.over and not message.get("more_body", False):
            # All is told, and the server closes where it learns so: what is on its way then would
            # have the client drop the answer unread.
            self._held = True
            message["more_body"] = True
        await self._send(message)

    async def end(self) -> None:
        """Let the connection close, where the body was not read, once it is over or takes long."""
        if self._held:
            await self._body.linger()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _on_the_wire(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


def _place(fault: Exception) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "-"
