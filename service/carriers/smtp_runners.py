"""Threads that hand e-mails over, each taking one after the other for as long as any waits.

A thread a message, or a word to the event loop after each, costs more than the message: Python's
threads take turns. So one runner begins, more join it while messages go on waiting and the server
takes its time (one that answers at once is served no sooner by more), and what they have done is
told by the handful.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.carriers.base import Outcome, OutgoingEmail
    from service.carriers.smtp_errand import Errand

RAMP_S = 0.005
"""After this long with messages waiting, as many runners again join."""
QUICK_S = 0.002
"""A message that took less than this waited for our own processor, not for the server."""
TELL_S = 0.005
"""A runner tells what it has done at least this often, and when nothing waits any more."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One e-mail that waits for a runner, and the outcome that its sender waits for."""

    errand: Errand
    email: OutgoingEmail
    outcome: asyncio.Future[Outcome]

    def tell(self, outcome: Outcome) -> None:
        """Say what became of it, unless that has been said; in the event loop."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Runners:
    """A bounded number of threads, for one event loop.

    Args:
        hand_over: sends one e-mail and says what became of it; never raises; runs in a thread.
        most: threads at once.
    """

    def __init__(self, hand_over: Callable[[Ticket], Outcome], most: int) -> None:
        self._hand_over = hand_over
        self._most = most
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="smtp")
        self._waiting: deque[Ticket] = deque()
        self._running = 0
        self._count = threading.Lock()
        self._called = self._looking = False
        self._took_s = 0.0
        self._ended = self._ended_before = 0

    def take(self, ticket: Ticket) -> None:
        """Have a runner see to it; in the event loop."""
        with self._count:
            self._waiting.append(ticket)
        if not self._called:
            # Soon, so that one runner finds all that is sent in this turn of the loop.
            self._called = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._begin, loop)

    def close(self) -> None:
        """Begin nothing more; threads that hang in a conversation are left to its deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._called = False
        if not self._running:
            self._join(1, loop)
        if not self._looking:
            self._looking = True
            loop.call_later(RAMP_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have as many runners again join where messages wait for the server; look again soon."""
        self._looking = bool(self._waiting)
        if not self._waiting:
            return
        stands, self._ended_before = self._ended == self._ended_before, self._ended
        if stands or self._took_s >= QUICK_S:
            self._join(max(1, self._running), loop)
        loop.call_later(RAMP_S, self._look, loop)

    def _join(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        with self._count:
            count = min(count, self._most - self._running)
            self._running += count
        for _ in range(count):
            self._threads.submit(self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Runs in a thread."""
        told: list[tuple[Ticket, Outcome]] = []
        tell_at = time.monotonic() + TELL_S
        began = time.monotonic()
        while ticket := self._next():
            told.append((ticket, self._hand_over(ticket)))
            ended = time.monotonic()
            self._took_s, began = ended - began, ended
            self._ended += 1
            if ended > tell_at:
                self._tell(loop, told)
                told, tell_at = [], ended + TELL_S
        self._tell(loop, told)

    def _next(self) -> Ticket | None:
        """The next ticket; none ends the runner, in one step, so that none is overlooked."""
        with self._count:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None

    def _tell(
        self, loop: asyncio.AbstractEventLoop, told: Sequence[tuple[Ticket, Outcome]]
    ) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(_told, told)


def _told(told: Sequence[tuple[Ticket, Outcome]]) -> None:
    for ticket, outcome in told:
        ticket.tell(outcome)
