"""How sending stands, in a handful of figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import redis

from service.clock import BusinessClock, MachineClock, from_ms
from service.dispatch.dead_letters import DeadLetters
from service.dispatch.pulse import age_of
from service.reporting.senders import SenderList, SenderStanding
from service.store import keys
from service.store.connection import store_errors
from service.store.dispatching import DispatchStore

MOST_LETTERS = 10_000
"""Dead letters that are counted by their state; beyond, there is more to do than to count."""


@dataclass(frozen=True, slots=True)
class DispatchStatus:
    """The figures.

    Attributes:
        at: business time, UTC.
        waiting: subscriptions with a next step; ``overdue`` those whose time has come.
        in_flight: held by a worker, or held back for a retry; ``in_question`` those that were
            begun and have no outcome yet.
        dead_letters: by state.
        left_to_do: attempts whose proof is still looked for, or whose text is to be redacted.
        stopped: senders that their providers refuse.
        last_tick: when a beat last looked (machine), None where none ever did; ``tick_age_s`` ago.
        gap: sending waits until what patients texted during a silence has been read.
    """

    at: datetime
    waiting: int
    overdue: int
    in_flight: int
    in_question: int
    dead_letters: dict[str, int]
    left_to_do: int
    stopped: tuple[SenderStanding, ...]
    last_tick: datetime | None
    tick_age_s: float | None
    gap: bool


class Statuses:
    """The use case behind ``dispatch status``."""

    def __init__(
        self,
        client: redis.Redis,
        dispatch: DispatchStore,
        dead_letters: DeadLetters,
        senders: SenderList,
        business: BusinessClock,
        machine: MachineClock,
        partitions: int,
    ) -> None:
        self._client = client
        self._dispatch = dispatch
        self._dead_letters = dead_letters
        self._senders = senders
        self._business = business
        self._machine = machine
        self._partitions = partitions

    def now(self) -> DispatchStatus:
        """How it stands now.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        now_ms = self._business.now_ms()
        census = self._dispatch.census(range(self._partitions), now_ms)
        with store_errors(self._client):
            tick, gap = self._client.get(keys.LAST_TICK), self._client.get(keys.GAP)
        letters = Counter(letter.state.value for letter in self._dead_letters.some(MOST_LETTERS))
        age_ms = age_of(tick, self._machine)
        return DispatchStatus(
            at=from_ms(now_ms),
            waiting=census.waiting,
            overdue=census.overdue,
            in_flight=census.in_flight,
            in_question=census.in_question,
            dead_letters={state: letters[state] for state in ("parked", "failed", "unknown")},
            left_to_do=census.left_to_do,
            stopped=tuple(self._senders.stopped()),
            last_tick=None if tick is None else from_ms(int(tick)),
            tick_age_s=None if age_ms is None else age_ms / 1000,
            gap=gap is not None,
        )
