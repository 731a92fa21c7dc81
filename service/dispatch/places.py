"""Room for sends under way: how many at once, over all that one worker process has begun."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


PATIENCE_S = 0.005
"""How long a handful is waited for, before a few places will do."""


class Places:
    """Places that were taken; left one by one as answers come, the rest at the end of the block.

    Attributes:
        count: of those not left yet.
        waited: whether they were not there at once.
    """

    def __init__(self, room: Room, count: int, *, waited: bool) -> None:
        self._room = room
        self.count = count
        self.waited = waited

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


@dataclass
class _Turn:
    """One that waits.

    Attributes:
        least: places that must be free.
        called: done once it may take them.
    """

    least: int
    called: asyncio.Future[None]


class Room:
    """A number of places, for one event loop; who waits first is served first.

    They are handed out by the handful, since what is begun together costs the store one call: half
    of all at a time, or fewer where answers take so long that these do not come soon.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[_Turn] = deque()

    async def take(self, most: int) -> Places:
        """Take up to ``most`` places."""
        least = min(most, max(1, self._size // 2))
        waits = bool(self._waiting) or self._free < least
        if waits:
            await self._turn(least)
        taken = min(most, self._free)
        self._free -= taken
        self._call_next()
        return Places(self, taken, waited=waits)

    def free(self, count: int) -> None:
        """Give places back."""
        self._free += count
        self._call_next()

    async def _turn(self, least: int) -> None:
        loop = asyncio.get_running_loop()
        turn = _Turn(least, loop.create_future())
        self._waiting.append(turn)
        timer = loop.call_later(PATIENCE_S, self._settle_for_less, turn)
        try:
            await turn.called
        except BaseException:
            self._waiting.remove(turn)
            self._call_next()
            raise
        finally:
            timer.cancel()
        self._waiting.remove(turn)

    def _settle_for_less(self, turn: _Turn) -> None:
        turn.least = min(turn.least, max(1, self._size // 8))
        self._call_next()

    def _call_next(self) -> None:
        """The first in the queue stays there until it has taken its places."""
        if self._waiting:
            turn = self._waiting[0]
            if self._free >= turn.least and not turn.called.done():
                turn.called.set_result(None)
