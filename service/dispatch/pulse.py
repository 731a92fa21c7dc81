"""Whether a beat ticks: without one nothing that falls due is sent."""

from __future__ import annotations

from typing import Final

import redis

from service.clock import MachineClock
from service.store.connection import store_errors
from service.store.keys import LAST_TICK

LATE_MS: Final = 60_000
"""A beat that ticked longer ago than this has gone silent."""


def tick_age_ms(client: redis.Redis, machine: MachineClock) -> int | None:
    """How long ago a beat last ticked, machine ms; None where none ever did.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with store_errors(client):
        return age_of(client.get(LAST_TICK), machine)


def age_of(last_tick: bytes | str | None, machine: MachineClock) -> int | None:
    """How long ago a tick was, machine ms, by what the store holds; None where none ever was."""
    return None if last_tick is None else max(0, machine.now_ms() - int(last_tick))
