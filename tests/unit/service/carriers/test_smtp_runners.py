"""Threads that hand mail over: few for a server that answers at once, all for one that does not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import uvloop

from service.carriers.base import Outcome, OutgoingEmail, Result
from service.carriers.smtp_errand import Errand
from service.carriers.smtp_runners import Runners, Ticket

MOST = 6
TAKEN = Outcome(Result.ACCEPTED, "taken")


def handed_over(hand_over: Callable[[Ticket], Outcome], count: int) -> list[Outcome]:
    """Have runners see to so many messages that wait at once; their outcomes in order."""

    async def run() -> list[Outcome]:
        loop = asyncio.get_running_loop()
        runners = Runners(hand_over, MOST)
        tickets = [
            Ticket(
                Errand(30.0),
                OutgoingEmail("a", "ana@example.org", "tips@c.example", b"", f"<{number}@c>", 0.0),
                loop.create_future(),
            )
            for number in range(count)
        ]
        try:
            for ticket in tickets:
                runners.take(ticket)
            return list(await asyncio.gather(*(ticket.outcome for ticket in tickets)))
        finally:
            runners.close()

    return uvloop.run(run())


def test_a_server_that_answers_at_once_is_not_given_every_thread() -> None:
    names: set[str] = set()

    def at_once(_: Ticket) -> Outcome:
        names.add(threading.current_thread().name)
        return TAKEN

    assert handed_over(at_once, 300) == [TAKEN] * 300
    assert len(names) < MOST


def test_a_server_that_takes_its_time_is_given_every_thread() -> None:
    together = threading.Barrier(MOST)

    def in_time(_: Ticket) -> Outcome:
        together.wait(20)  # broken, and raising, where they do not all come
        return TAKEN

    assert handed_over(in_time, 3 * MOST) == [TAKEN] * 3 * MOST


def test_a_conversation_that_hangs_holds_up_no_other() -> None:
    others = threading.Semaphore(0)

    def hangs_until_the_others_are_through(ticket: Ticket) -> Outcome:
        if ticket.email.message_id == "<0@c>":
            deadline = time.monotonic() + 20
            assert all(others.acquire(timeout=deadline - time.monotonic()) for _ in range(40))
        else:
            others.release()
        return TAKEN

    assert handed_over(hangs_until_the_others_are_through, 41) == [TAKEN] * 41
