"""Kept connections that speak HTTP/1.1, one request at a time; `httptools` reads the answers.

A small client rather than a general one, since it runs once a text: no redirects, no proxies, no
cookies, no compression, no second tries.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aiohappyeyeballs import start_connection
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    import ssl

MAX_ANSWER = 4 * 1024 * 1024
"""Most bytes read of one answer; a page of 1,000 messages takes about 1 MB."""
MAX_HEADERS = 64 * 1024
"""Most bytes of names and values in the head of one answer."""
_INFORMATIONAL = range(100, 200)


class Broken(ConnectionError):
    """The connection ended, or said something that is not HTTP, before the answer was whole."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads.

    Attributes:
        tls: whether it is encrypted.
    """

    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        headers: by name in lower case; of a repeated one, the last.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Wire(asyncio.Protocol):
    """One connection. Its owner awaits one `exchange` after the other, never two at once."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._keeps = True
        self._incoming = select.poll()
        self._parser = HttpResponseParser(self)
        self._clear()

    @property
    def open(self) -> bool:
        """Whether the other side will read another request, for all we have been told."""
        return self._keeps and self._transport is not None and not self._transport.is_closing()

    @property
    def stale(self) -> bool:
        """Whether something has come in while nobody asked: its end, or it is out of step.

        The event loop may not have noticed: it does not run between two drains.
        """
        return bool(self._incoming.poll(0))

    async def exchange(self, request: bytes) -> Answer:
        """Write a whole request and return the whole answer.

        Raises:
            Broken: no whole answer came; the connection is of no more use.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Broken("the connection has been closed")
        self._waiting = asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def close(self) -> None:
        """Drop the connection at once."""
        self._keeps = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._incoming.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._waiting is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail("what came is not an HTTP answer")

    def eof_received(self) -> None:
        """Called by the event loop: the other side writes no more.

        Without a length, the end of the connection is the end of the answer (RFC 9112, 6.3).
        """
        self._keeps = False
        if self._in_body and not self._delimited:
            self._complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        self._fail(f"the connection was closed ({type(exc).__name__ if exc else 'by the server'})")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._head_size += len(name) + len(value)
        if self._head_size > MAX_HEADERS:
            raise ValueError("the head of the answer is too long")
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._in_body = True
        self._delimited = not self._headers.keys().isdisjoint(
            ("content-length", "transfer-encoding")
        )

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._size += len(body)
        if self._size > MAX_ANSWER:
            raise ValueError("the answer is longer than any of Twilio's")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._parser.get_status_code() in _INFORMATIONAL:
            return  # the answer itself is still to come (RFC 9110, 15.2)
        if not self._parser.should_keep_alive():
            self._keeps = False
        self._complete()

    def _complete(self) -> None:
        self._in_body = False
        if self._waiting is None or self._waiting.done():
            self.close()  # an answer that nobody asked for
            return
        status = self._parser.get_status_code()
        self._waiting.set_result(Answer(status, self._headers, b"".join(self._body)))

    def _fail(self, why: str) -> None:
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(why))

    def _clear(self) -> None:
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._head_size = self._size = 0
        self._in_body = self._delimited = False


class Wires:
    """A bounded set of connections; the one used last is used next.

    Args:
        limit: most connections at once.
        idle_s: one that was idle for longer is closed, seconds.
        connect_s: seconds for looking the name up, connecting, and TLS.
        tls: what to trust.
    """

    def __init__(
        self, *, limit: int, idle_s: float, connect_s: float, tls: ssl.SSLContext | None
    ) -> None:
        self._free = asyncio.Semaphore(limit)
        self._idle: list[Wire] = []
        self._idle_s = idle_s
        self._connect_s = connect_s
        self._tls = tls

    async def take(self, origin: Origin) -> Wire:
        """A connection for the caller alone, until it is given back.

        Raises:
            OSError, TimeoutError, ValueError: none could be had.
        """
        await self._free.acquire()
        try:
            return self._kept(origin) or await self._connected(origin)
        except BaseException:
            self._free.release()
            raise

    def give_back(self, wire: Wire) -> None:
        """Let the next caller have it, if it is still of use."""
        if wire.open:
            wire.idle_since = time.monotonic()
            self._idle.append(wire)
        else:
            wire.close()
        self._free.release()

    async def aclose(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # the loop tells the transports

    def _kept(self, origin: Origin) -> Wire | None:
        now = time.monotonic()
        while self._idle and self._idle[0].idle_since < now - self._idle_s:
            self._idle.pop(0).close()
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].origin == origin:
                wire = self._idle.pop(place)
                if wire.open and not wire.stale:
                    return wire
                wire.close()
        return None

    async def _connected(self, origin: Origin) -> Wire:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._connect_s):
            addresses = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            connected = await start_connection(addresses, happy_eyeballs_delay=0.25)
            _, wire = await loop.create_connection(
                lambda: Wire(origin),
                sock=connected,
                ssl=self._tls if origin.tls else None,
                server_hostname=origin.host if origin.tls else None,
            )
        return wire
