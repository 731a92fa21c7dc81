"""Room for sends under way: never more than there is, nobody is forgotten."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dispatch.places import Places, Room


def test_places_are_handed_out_by_the_handful_and_left_one_by_one() -> None:
    async def run() -> None:
        room = Room(8)
        first = await room.take(100)
        assert first.count == 8
        waiting = asyncio.ensure_future(room.take(100))
        for _ in range(4):
            first.leave()
        second = await waiting
        assert (first.count, second.count) == (4, 4)

    asyncio.run(run())


def test_where_answers_take_their_time_a_few_places_will_do() -> None:
    async def run() -> None:
        room = Room(16)
        first = await room.take(16)
        waiting = asyncio.ensure_future(room.take(16))
        first.leave(2)
        assert (await asyncio.wait_for(waiting, 5)).count == 2

    asyncio.run(run())


def test_few_are_waited_for_where_few_are_wanted() -> None:
    async def run() -> None:
        room = Room(8)
        first = await room.take(7)
        assert (await room.take(1)).count == 1
        first.leave()
        assert (await room.take(1)).count == 1

    asyncio.run(run())


def test_who_gave_up_waiting_does_not_hold_up_the_others() -> None:
    async def run() -> None:
        room = Room(4)
        first = await room.take(4)
        gone = asyncio.ensure_future(room.take(4))
        patient = asyncio.ensure_future(room.take(1))
        await asyncio.sleep(0)
        gone.cancel()
        first.leave()
        assert (await asyncio.wait_for(patient, 5)).count == 1

    asyncio.run(run())


def test_what_is_still_taken_at_the_end_of_the_block_is_free_again_even_after_a_fault() -> None:
    async def run() -> None:
        room = Room(4)
        with pytest.raises(ZeroDivisionError):
            async with await room.take(4) as places:
                places.leave(1 // 0)
        assert (await asyncio.wait_for(room.take(4), 5)).count == 4

    asyncio.run(run())


@given(st.integers(1, 9), st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers())
def test_however_they_come_and_go_there_are_never_more_than_places(
    size: int, wanted: list[int], seed: int
) -> None:
    draw, room = random.Random(seed), Room(size)
    under_way = 0

    async def work(items: int) -> int:
        nonlocal under_way
        done = 0
        while done < items:
            async with await room.take(items - done) as places:
                assert 1 <= places.count <= items - done
                under_way += places.count
                assert under_way <= size
                done += places.count
                await one_by_one(places)
        return done

    async def one_by_one(places: Places) -> None:
        nonlocal under_way
        while places.count:
            for _ in range(draw.randrange(3)):
                await asyncio.sleep(0)
            under_way -= 1
            places.leave()

    async def run() -> list[int]:
        return await asyncio.wait_for(asyncio.gather(*map(work, wanted)), 30)

    assert asyncio.run(run()) == wanted
