"""Claim, begin and conclude from an event loop, which goes on while the server answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from schedules.delivery import State
from service.errors import StoreUnavailable
from service.store.connection import Durability, connect
from service.store.dispatching import DispatchStore
from service.store.scripts import Scripts
from tests.contract.store.installation import DUE, LEASE_MS, Installed, ended
from tests.support.servers import Server, valkey_server

SENT = State.SENT.code
T = TypeVar("T")
Run = Callable[[Coroutine[object, object, T]], T]


@pytest.fixture(params=[uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run[object]:
    chosen: Run[object] = request.param
    return chosen


def test_a_flight_is_claimed_begun_and_concluded(store: Installed, run: Run[object]) -> None:
    patient, _ = store.enrol()

    async def flight() -> None:
        lease_end = store.machine.ms + LEASE_MS
        (claimed,) = await store.dispatch.claim_soon(1, DUE, 10, lease_end)
        assert await store.dispatch.claim_soon(1, DUE, 10, lease_end) == []
        beginning = store.beginning(claimed)
        assert await store.dispatch.begin_soon([beginning]) == ["ok"]
        conclusion = ended(claimed, state=SENT, attempt=beginning.attempt)
        assert await store.dispatch.conclude_soon([conclusion]) == [True]
        assert await store.dispatch.conclude_soon([conclusion]) == [False]
        assert await store.dispatch.conclude_soon([]) == []

    run(flight())
    (entry,) = store.patients.history(patient)
    assert entry.state == SENT


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Server]:
    with valkey_server(tmp_path) as running:
        yield running


def test_a_server_that_lost_its_scripts_is_given_them(alone: Server, run: Run[object]) -> None:
    with connect(alone.url) as client:
        dispatch = DispatchStore(Scripts(client, Durability.of(client)))
        dispatch.claim(0, DUE, 10, DUE)
        client.script_flush()
        assert run(dispatch.claim_soon(0, DUE, 10, DUE)) == []


def test_the_loop_goes_on_while_a_server_hangs_which_is_given_up_in_time(
    alone: Server, run: Run[object]
) -> None:
    with connect(alone.url, timeout_s=0.5) as client:
        dispatch = DispatchStore(Scripts(client, Durability.of(client)))
        dispatch.claim(0, DUE, 10, DUE)

        async def hanging() -> int:
            turns = 0
            alone.freeze()
            claiming = asyncio.create_task(dispatch.claim_soon(0, DUE, 10, DUE))
            while not claiming.done():
                turns += 1
                await asyncio.sleep(0.01)
            alone.thaw()
            with pytest.raises(StoreUnavailable, match="in time"):
                await claiming
            assert await dispatch.claim_soon(0, DUE, 10, DUE) == [], "it is used again"
            return turns

        assert run(hanging()) > 10  # type: ignore[operator]


def test_a_call_that_is_given_up_leaves_its_answer_to_nobody(
    alone: Server, run: Run[object]
) -> None:
    with connect(alone.url) as client:
        dispatch = DispatchStore(Scripts(client, Durability.of(client)))

        async def given_up() -> None:
            alone.freeze()
            claiming = asyncio.create_task(dispatch.claim_soon(0, DUE, 10, DUE))
            await asyncio.sleep(0.05)
            claiming.cancel()
            with pytest.raises(asyncio.CancelledError):
                await claiming
            alone.thaw()
            assert await dispatch.conclude_soon([]) == []
            assert client.ping()

        run(given_up())


def test_a_server_that_is_not_there_is_told(alone: Server, run: Run[object]) -> None:
    with connect(alone.url) as client:
        dispatch = DispatchStore(Scripts(client, Durability.of(client)))
        dispatch.claim(0, DUE, 10, DUE)
        alone.kill()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            run(dispatch.claim_soon(0, DUE, 10, DUE))
