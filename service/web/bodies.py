"""The body of a request: no larger than is allowed, and no slower.

Nothing else ends a body that trickles: the server reads on as long as a client sends, and whoever
opens enough such connections has all that there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from service.web.connections import HEAD_S, TAKEN_S

TOO_LARGE: Final = 413
TOO_SLOW: Final = 408


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a request may come, and its answer be read.

    Attributes:
        head_s: how long its head may take, seconds.
        first_s: for how long its body may be waited for at all, in all its parts together, seconds.
        floor: bytes that gain it a further second: no large body may come more slowly for long.
        taken_s: how long a client may take for 48 KiB of the answer, seconds.
        linger_s: for how long a body that nobody wants is read after its answer, seconds.
    """

    head_s: float = HEAD_S
    first_s: float = 60.0
    floor: int = 8 * 1024
    taken_s: float = TAKEN_S
    linger_s: float = 10.0


PACE: Final = Pace()
"""A form has a minute; the largest file of patients, over a slow line, hours but not days."""


class Body:
    """One of them, on its way in.

    Args:
        headers: of the request, as the server gives them.
        receive: the server's.
        limit: bytes.
        pace: how slowly it may come.
    """

    def __init__(
        self, headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int, pace: Pace
    ) -> None:
        told = dict(headers)
        length = told.get(b"content-length", b"0")
        self._declared = int(length) if length.isdigit() else 0
        self._asks_first = b"expect" in told
        self._receive = receive
        self._limit = limit
        self._pace = pace
        self._received = 0
        self._waited_s = 0.0
        self.over = not self._declared and b"transfer-encoding" not in told

    async def receive(self) -> Message:
        """The next part of it.

        Raises:
            HTTPException: 413, before more is read than is allowed; 408, where it is too slow.
        """
        if self._declared > self._limit:
            raise HTTPException(TOO_LARGE)
        message = await self._next()
        if message is None:
            raise HTTPException(TOO_SLOW)
        if self._received > self._limit:
            raise HTTPException(TOO_LARGE)
        return message

    async def _next(self) -> Message | None:
        """The next part; None where it was waited for too long."""
        if self.over:  # what is asked for now is whether the client is still there
            return await self._receive()
        loop = asyncio.get_running_loop()
        # The time that is taken here in between is not the client's.
        left_s = self._pace.first_s + self._received / self._pace.floor - self._waited_s
        begun = loop.time()
        try:
            async with asyncio.timeout(left_s):
                message = await self._receive()
        except TimeoutError:
            return None
        self._waited_s += loop.time() - begun
        self._received += len(message.get("body", b""))
        self.over = not message.get("more_body", False)
        return message

    async def drain(self, seconds: float) -> None:
        """Read what nobody wants, for so long at most; 0: what is there already."""
        if self._asks_first and not self._received:
            return  # to read is to tell the client to send
        try:
            async with asyncio.timeout(seconds):
                while not self.over and await self._next() is not None:
                    pass
        except TimeoutError:
            pass

    async def linger(self) -> None:
        """The same after an answer, for as long as is usual."""
        self._asks_first = False  # the answer has told it
        await self.drain(self._pace.linger_s)
