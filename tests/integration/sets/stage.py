"""Whole installations on stores of several servers, in the middle of their work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from schedules.delivery import State
from service.enrolment.enrol import Receipt
from service.errors import StoreUnavailable
from service.store.history import HistoryEntry
from tests.support.polling import until
from tests.support.sets import Store
from tests.support.system import System, phone, running_system
from tests.support.web import PUBLIC_URL, Site, served

IN_FLIGHT = 2
NOON = "2026-03-02T20:00:00"
T = TypeVar("T")


@dataclass
class Stage:
    """Worker, beat and web on one store, and a provider that takes its time."""

    system: System
    site: Site
    receipts: dict[str, Receipt] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def enrol(self, count: int) -> None:
        """Enrol patients who are due at once, by text."""
        for _ in range(count):
            number = next(self.numbers)
            self.receipts[phone(number)] = self.system.enrol(number, email="", email_consent="")

    def arrived(self) -> list[str]:
        """Who has got a text, once for each."""
        return [text["to"] for text in self.system.provider.accepted()]

    def await_under_way(self, more: int = 5) -> None:
        """Wait until some texts have left, and not all."""
        before = len(self.arrived())
        until(lambda: len(self.arrived()) >= before + more, "texts are under way", limit_s=40)
        assert len(set(self.arrived())) < len(self.receipts), "the trouble came in the middle"

    def history(self, number: str) -> list[HistoryEntry]:
        return self.system.core.patients.history(self.receipts[number].patient)

    def stopped(self, number: str) -> bool:
        """Whether the store says that nothing is sent to somebody any more."""
        return bool(patiently(lambda: self.site.silent(self.receipts[number].patient)))

    def stop(self, number: str) -> bool:
        """Text STOP as a patient; whether it was acknowledged."""
        return self.site.text(number, "STOP").status_code == 200

    def await_end(self, limit_s: float = 90) -> None:
        """Wait until something has become of every delivery that was not stopped."""

        def over() -> bool:
            numbers = [number for number in self.receipts if not self.stopped(number)]
            return all(patiently(partial(self.history, number)) for number in numbers)

        until(over, f"all are over; logs: {self.system.directory}", limit_s=limit_s)

    def check(self, *, may_be_unknown: bool = False, cut_off: int = 0) -> None:
        """Nobody got a text twice; who got one is on record so, and who got none got no excuse.

        Args:
            may_be_unknown: whether the store may have lost what would have settled an attempt.
            cut_off: attempts that may have been cut off before their call; nobody knows of those.
        """
        arrived = self.arrived()
        assert len(arrived) == len(set(arrived)), "doubled"
        for number in self.receipts:
            if self.stopped(number):
                continue
            (entry,) = self.history(number)
            state = State.from_code(entry.state)
            if may_be_unknown and state is State.UNKNOWN:
                continue
            if state is State.UNKNOWN and number not in arrived and cut_off:
                cut_off -= 1
                continue
            assert (state, arrived.count(number)) == (State.SENT, 1), entry
        assert {process.poll() for process in self.system.processes} == {None}, "nobody gave up"


def patiently(read: Callable[[], T], limit_s: float = 40) -> T:
    """What the store says, however often it has to be asked: it may be failing over."""
    answers: list[T] = []

    def answered() -> bool:
        try:
            answers.append(read())
        except StoreUnavailable:
            return False
        return True

    until(answered, "the store answers", limit_s=limit_s)
    return answers[0]


@contextmanager
def staged(
    directory: Path,
    on: Store,
    broker_url: str,
    *,
    processes: tuple[str, ...] = ("worker", "beat"),
    **settings: str,
) -> Iterator[Stage]:
    """Run an installation on a store of several servers."""
    own = {"PARTITIONS": "4", "IN_FLIGHT": str(IN_FLIGHT), "PUBLIC_URL": PUBLIC_URL}
    settings = {**own, **settings}
    with (
        running_system(
            directory,
            clock=f"fast:1@{NOON}",
            on=on,
            processes=processes,
            BROKER_URL=broker_url,
            **settings,  # type: ignore[arg-type] # mypy takes them for the other arguments too
        ) as system,
        served(system.core) as (client, url),
    ):
        system.provider.script({"fault": "late_after", "seconds": 0.1, "times": 10**6})
        yield Stage(system, Site(system.core, system.store, client, url))
