"""The Twilio SDK's way to the network: kept connections, one total deadline, no second tries.

The SDK's own clients retry, have no deadline, and log numbers and texts; so this one takes their
place. What matters most is that a failure says on which side of one line it happened:

* `NotSent`: no connection was had, so not one byte of the request left. Trying again is safe.
* `NoAnswer`: a connection was had, and no complete answer came. Nobody knows what the provider did.

**Kept connections.** A provider may close an idle connection at the very moment at which we write
to it; no client can tell that from a request that was read and not answered, so it is `NoAnswer`.
It is made rare, not impossible: an idle connection is given up after 10 s (load balancers commonly
keep one for 60 s and more), and one that has become readable while idle, which means that the
other side has closed it, is not used even where our event loop has not yet noticed.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from service.carriers.http_fields import encoded_form, request, request_head, retry_after
from service.carriers.http_wire import Answer, Origin, Wires

if TYPE_CHECKING:
    from collections.abc import Mapping

TWILIO_HOST = "api.twilio.com"
IDLE_S = 10.0
"""How long an idle connection is kept, seconds."""
_TOO_MANY_REQUESTS = 429


class NotSent(Exception):
    """Nothing of the request left this machine. Trying again is safe."""


class TooLate(NotSent):
    """The request's time had passed before a connection was had; it was not sent."""


class NoAnswer(Exception):
    """The request, or some of it, left, and no complete answer came. Never try again blindly."""


class Busy(Exception):
    """The provider answered 429: it did nothing with the request.

    Raised here because the SDK's own exception has lost the header.

    Attributes:
        retry_after_s: seconds the provider asks to wait, if it says.
    """

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__("too many requests")
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Journey:
    """Follows one request.

    Attributes:
        send_before: ``time.monotonic()`` after which it must not leave any more.
        left: whether a connection was handed out, and bytes may have left by now.
    """

    send_before: float | None = None
    left: bool = False


journey: ContextVar[Journey | None] = ContextVar("journey", default=None)
"""The request that the current task makes. Set it before a call to see what became of it."""


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]
    """HTTP for ``twilio.rest.Client`` on kept connections; belongs to one event loop.

    Args:
        base_url: what stands in for ``https://api.twilio.com``; any http(s) base, with or without
            a path. No redirect is followed and no proxy of the environment is used.
        connections: most connections at once.
        total_s: seconds from the call to the last byte of the answer, queueing included.
        connect_s: seconds for the connection and TLS.
        idle_s: seconds an idle connection is kept.
        tls: trust for a test's own certificates; the machine's by default.
    """

    def __init__(
        self,
        base_url: str = f"https://{TWILIO_HOST}",
        *,
        connections: int = 64,
        total_s: float = 10.0,
        connect_s: float = 3.0,
        idle_s: float = IDLE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True, timeout=total_s)
        self._base = base_url.rstrip("/")
        self._total_s = total_s
        self._wires = Wires(
            limit=connections,
            idle_s=idle_s,
            connect_s=connect_s,
            tls=tls or ssl.create_default_context(),
        )
        self._authorization: dict[tuple[str, str], str] = {}

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002 - never followed
    ) -> Response:
        """Make one request, once.

        Raises:
            NotSent: nothing left.
            NoAnswer: something left, and no complete answer came before the deadline.
            Busy: the answer was 429.
        """
        follows = journey.get()
        if follows is None:
            follows = Journey()
            journey.set(follows)
        follows.left = False
        # No compression: an answer's size on the wire is then its size in memory.
        sent_headers = {**(headers or {}), "Accept-Encoding": "identity"}
        if auth is not None:
            sent_headers["Authorization"] = self._basic(auth)
        body = encoded_form(data) if data else b""
        try:
            origin, host, target = _parts(self._url(uri, params))
            head = request_head(method, target, host, tuple(sent_headers.items()))
            async with asyncio.timeout(min(timeout or self._total_s, self._total_s)):
                answer = await self._exchange(origin, request(head, body), follows)
        except (OSError, TimeoutError, ValueError) as error:
            kind = NoAnswer if follows.left else NotSent
            raise kind(_name(error)) from error
        if answer.status == _TOO_MANY_REQUESTS:
            raise Busy(retry_after(answer.headers.get("retry-after"), datetime.now(UTC)))
        return Response(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)

    async def _exchange(self, origin: Origin, whole: bytes, follows: Journey) -> Answer:
        wire = await self._wires.take(origin)
        try:
            if follows.send_before is not None and time.monotonic() > follows.send_before:
                raise TooLate("no connection was had in time")
            follows.left = True
            try:
                return await wire.exchange(whole)
            except BaseException:
                wire.close()  # an answer that comes now would be taken for the next one's
                raise
        finally:
            self._wires.give_back(wire)

    def _url(self, uri: str, params: Mapping[str, object] | None) -> str:
        url = _based(self._base, uri)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        return url

    def _basic(self, auth: tuple[str, str]) -> str:
        known = self._authorization.get(auth)
        if known is None:
            known = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
            self._authorization[auth] = known
        return known

    async def aclose(self) -> None:
        """Close kept connections; a later request opens new ones."""
        await self._wires.aclose()


@lru_cache(maxsize=64)
def _based(base: str, uri: str) -> str:
    """An address of the SDK's with what stands in for Twilio's host.

    Raises:
        NotSent: it is not Twilio's.
    """
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if host != TWILIO_HOST and not host.endswith(".twilio.com"):
        raise NotSent("the SDK was led away from twilio.com; the credentials stay here")
    if host != TWILIO_HOST and urlsplit(base).hostname == TWILIO_HOST:
        base = f"{parts.scheme}://{parts.netloc}"  # a region or edge that the SDK was told of
    return f"{base}{parts.path}{'?' if parts.query else ''}{parts.query}"


@lru_cache(maxsize=64)
def _parts(url: str) -> tuple[Origin, str, str]:
    """Where to connect, the Host header, and the request's target.

    Raises:
        ValueError: it is no http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an http(s) address")
    tls = parts.scheme == "https"
    origin = Origin(parts.hostname, parts.port or (443 if tls else 80), tls)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return origin, parts.netloc.rpartition("@")[2], target


def _name(error: BaseException) -> str:
    """What went wrong, without the address or the text that an exception may quote."""
    if isinstance(error, TimeoutError):
        return "time-out"
    return type(error).__name__
