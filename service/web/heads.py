"""The head of a request: no larger than is allowed, and no later.

The server's own protocol waits for ever for the first line and the headers of a request, and keeps
as many of these as a client sends, before anything of the application is asked.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 30.0
"""From the connection, or from a head's first byte, until it is whole, seconds."""
HEAD_LIMIT: Final = 64 * 1024
"""Bytes; browsers and proxies send some hundred, and 8 KB at most."""


class PromptProtocol(HttpToolsProtocol):
    """uvicorn's, for clients that say in time what they want."""

    head_s = HEAD_S
    _waits: asyncio.TimerHandle | None = None
    _is_open = False
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._have()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        super().on_message_begin()
        self._is_open, self._size = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Its head has come."""
        self._is_open = False
        self._have()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_open:
            self._size += len(data)
            if self._size > HEAD_LIMIT:
                self.send_400_response("The request has too many headers.")
        elif self.cycle is None or self.cycle.response_complete:
            self._wait()  # of empty lines between requests, the server makes nothing at all

    def _wait(self) -> None:
        if self._waits is None:
            self._waits = self.loop.call_later(self.head_s, self.transport.close)

    def _have(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


def prompt(head_s: float = HEAD_S) -> type[HttpToolsProtocol]:
    """The protocol for a server that waits for a head for so long, seconds."""
    return type("PromptProtocol", (PromptProtocol,), {"head_s": head_s})
