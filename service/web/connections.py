"""Connections: what a client asks for has to come in time, and what it asked for has to be taken.

The server's own protocol waits for ever for the first line and the headers of a request, and keeps
as many of these as a client sends, before anything of the application is asked. It waits as long
for a client to read an answer.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 30.0
"""From the connection, or from a head's first byte, until it is whole, seconds."""
HEAD_LIMIT: Final = 64 * 1024
"""Bytes; browsers and proxies send some hundred, and 8 KB at most."""
TAKEN_S: Final = 60.0
"""Until a client has read 48 KiB of an answer that waits, seconds."""


class PromptProtocol(HttpToolsProtocol):
    """uvicorn's, for clients that say in time what they want."""

    head_s = HEAD_S
    taken_s = TAKEN_S
    _full: asyncio.TimerHandle | None = None
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
        self._stop_full()
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

    def pause_writing(self) -> None:
        """More of an answer waits than is kept for who does not read it."""
        super().pause_writing()
        if self._full is None:  # to close is to wait until all is read
            self._full = self.loop.call_later(self.taken_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Most of it has been read."""
        self._stop_full()
        super().resume_writing()

    def _stop_full(self) -> None:
        if self._full is not None:
            self._full.cancel()
            self._full = None

    def _wait(self) -> None:
        if self._waits is None:
            self._waits = self.loop.call_later(self.head_s, self.transport.close)

    def _have(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


def prompt(head_s: float = HEAD_S, taken_s: float = TAKEN_S) -> type[HttpToolsProtocol]:
    """The protocol for a server that waits for so long, seconds."""
    return type("PromptProtocol", (PromptProtocol,), {"head_s": head_s, "taken_s": taken_s})
