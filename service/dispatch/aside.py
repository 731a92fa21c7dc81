"""Calls of the store beside the event loop, so that sends go on while it answers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Aside:
    """A few threads for calls that wait for an answer; the client of the store is safe in them."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")

    async def call(self, work: Callable[[], T]) -> T:
        """What the call returns; what it raises is raised."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """End the threads; a call under way is left to its own limit."""
        self._threads.shutdown(wait=False)
