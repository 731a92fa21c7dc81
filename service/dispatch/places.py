"""Room for sends under way: how many at once, over all that one worker process has begun."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Places:
    """Places that were taken; left one by one as answers come, the rest at the end of the block."""

    def __init__(self, room: Room, count: int) -> None:
        self._room = room
        self.count = count

    def leave(self, count: int = 1) -> None:
        """Let others have some of them."""
        self.count -= count
        self._room.free(count)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave(self.count)


class Room:
    """A number of places, for one event loop; who waits first is served first.

    They are handed out by the handful, since what is begun together costs the store one call.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, most: int) -> Places:
        """Take up to ``most`` places, as soon as half of all are free, or as many as are wanted."""
        least = min(most, max(1, self._size // 2))
        if self._waiting or self._free < least:
            await self._turn(least)
        taken = min(most, self._free)
        self._free -= taken
        self._call_next()
        return Places(self, taken)

    def free(self, count: int) -> None:
        """Give places back."""
        self._free += count
        self._call_next()

    async def _turn(self, least: int) -> None:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (least, called)
        self._waiting.append(entry)
        try:
            await called
        except BaseException:
            self._waiting.remove(entry)
            self._call_next()
            raise
        self._waiting.remove(entry)

    def _call_next(self) -> None:
        """The first in the queue stays there until it has taken its places."""
        if self._waiting:
            least, called = self._waiting[0]
            if self._free >= least and not called.done():
                called.set_result(None)
