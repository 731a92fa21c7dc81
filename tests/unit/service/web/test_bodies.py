"""Bodies of requests, on a clock that the tests set."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import TypeVar

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from service.web.bodies import Body, Pace

PACE = Pace(first_s=60, floor=8_192, linger_s=10)
LIMIT = 10_000_000
_R = TypeVar("_R")


class SetLoop(asyncio.SelectorEventLoop):
    """Its clock stands until it is set."""

    now_s = 0.0

    def time(self) -> float:
        return self.now_s


@pytest.fixture
def loop() -> Iterator[SetLoop]:
    made = SetLoop()
    yield made
    made.close()


class Sender:
    """Sends parts of a body, each after so many seconds."""

    def __init__(self, loop: SetLoop, parts: int, size: int, seconds: float) -> None:
        self.loop = loop
        self.left = parts
        self.size = size
        self.seconds = seconds
        self.asked = 0

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-length", str(self.left * self.size).encode())]

    async def __call__(self) -> Message:
        self.asked += 1
        self.loop.now_s += self.seconds
        for _ in range(2):  # in which the loop looks at its clock, and does what is due
            await asyncio.sleep(0)
        if not self.left:
            return {"type": "http.disconnect"}
        self.left -= 1
        return {"type": "http.request", "body": b"x" * self.size, "more_body": self.left > 0}


def read(sender: Sender, between_s: float = 0) -> int:
    """Read a body to its end; its size."""
    body = Body(sender.headers(), sender, LIMIT, PACE)

    async def whole() -> int:
        size = 0
        while not body.over:
            sender.loop.now_s += between_s
            size += len((await body.receive())["body"])
        return size

    return run(sender.loop, whole())


def run(loop: SetLoop, what: Coroutine[None, None, _R]) -> _R:
    return loop.run_until_complete(what)


def test_a_body_in_one_part_has_a_minute(loop: SetLoop) -> None:
    assert read(Sender(loop, parts=1, size=10, seconds=59)) == 10
    with pytest.raises(HTTPException) as refused:
        read(Sender(loop, parts=1, size=10, seconds=61))
    assert refused.value.status_code == 408


def test_a_body_that_trickles_is_ended_after_its_minute_in_all(loop: SetLoop) -> None:
    sender = Sender(loop, parts=1_000, size=1, seconds=7)
    with pytest.raises(HTTPException) as refused:
        read(sender)
    assert refused.value.status_code == 408
    assert sender.asked == 9


def test_a_large_body_goes_on_for_as_long_as_it_is_fast_enough(loop: SetLoop) -> None:
    assert read(Sender(loop, parts=1_000, size=8_192, seconds=1)) == 1_000 * 8_192


def test_a_large_body_that_is_too_slow_is_ended(loop: SetLoop) -> None:
    sender = Sender(loop, parts=1_000, size=4_096, seconds=1)
    with pytest.raises(HTTPException) as refused:
        read(sender)
    assert refused.value.status_code == 408
    assert 118 < sender.asked < 122, "it gained half of the time that it took"


def test_the_time_that_we_take_ourselves_is_not_the_clients(loop: SetLoop) -> None:
    assert read(Sender(loop, parts=10, size=10, seconds=1), between_s=100) == 100


def test_a_client_is_waited_for_as_long_as_its_answer_takes_once_its_body_is_over(
    loop: SetLoop,
) -> None:
    sender = Sender(loop, parts=0, size=0, seconds=10_000)
    body = Body([], sender, LIMIT, PACE)
    assert body.over
    assert run(loop, body.receive())["type"] == "http.disconnect"


@pytest.mark.parametrize("seconds", [0, 11])
def test_what_nobody_wants_is_read_for_a_while(loop: SetLoop, seconds: int) -> None:
    sender = Sender(loop, parts=100, size=10, seconds=seconds)
    body = Body(sender.headers(), sender, LIMIT, PACE)
    run(loop, body.linger())
    assert body.over == (seconds == 0)


def test_who_asks_before_sending_is_not_told_to_send_what_nobody_wants(loop: SetLoop) -> None:
    sender = Sender(loop, parts=1, size=10, seconds=0)
    body = Body([*sender.headers(), (b"expect", b"100-continue")], sender, LIMIT, PACE)
    run(loop, body.drain(5))
    assert not sender.asked
