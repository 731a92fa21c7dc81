"""Workers are killed in the middle of sending: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from schedules.delivery import State
from service.store.keys import PartitionKeys
from tests.support.polling import until
from tests.support.system import System, kill, running_system

PATIENTS = 34
STEPS = 15
KILLS = 10
SEED = 20261121


@pytest.mark.timeout(300)
def test_ten_kills_among_500_deliveries_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    points = sorted(draw.sample(range(5, PATIENTS * STEPS - 20), KILLS))
    with running_system(
        tmp_path,
        clock="fast:200000@2026-03-02T20:00:00",
        processes=("beat",),
        LEASE_S="2",
        PARTITIONS="8",
    ) as system:
        # Answers come late, so that a kill falls between what the provider has and what we know.
        system.provider.script({"fault": "late_after", "seconds": 0.15, "times": 10**6})
        # One in five has e-mail only: no mail server can be asked what it has.
        receipts = [
            system.enrol(number, series="sleep-hygiene", **_addresses(number))
            for number in range(PATIENTS)
        ]
        killed_ms = []
        worker = system.start("worker")
        for point in points:
            following = system.start("worker")  # ready by the time it is needed
            until(partial(_reached, system, point), f"{point} arrive", limit_s=60)
            kill(worker)
            killed_ms.append(time.time() * 1000)
            worker = following
        system.await_end(*receipts, limit_s=120)

        arrived = Counter((text["to"], text["body"]) for text in system.provider.accepted())
        arrived.update((mail["to"][0], mail["content"]) for mail in system.mail.accepted())
        assert set(arrived.values()) == {1}, f"sent twice (seed {SEED})"
        states = Counter[str]()
        for receipt in receipts:
            history = system.core.patients.history(receipt.patient)
            assert [entry.index for entry in history] == list(range(STEPS)), "a step is missing"
            states.update(entry.state for entry in history)
        assert set(states) <= {State.SENT.code, State.UNKNOWN.code}
        # What is recorded as sent arrived; what arrived and is not recorded so is unknown.
        assert states[State.SENT.code] <= sum(arrived.values()) <= PATIENTS * STEPS
        for begun_ms in _unknown_begun(system):
            assert any(0 <= at - begun_ms < 3_000 for at in killed_ms), "unknown for no reason"


def _addresses(number: int) -> dict[str, str]:
    if number % 5:
        return {"email": "", "email_consent": ""}
    return {"phone": "", "sms_consent": ""}


def _reached(system: System, point: int) -> bool:
    return _arrived(system) >= point


def _arrived(system: System) -> int:
    return len(system.provider.accepted()) + len(system.mail.accepted())


def _unknown_begun(system: System) -> Iterator[int]:
    """When each attempt whose delivery ended as unknown was begun, machine ms UTC."""
    client = system.core.client
    for partition in range(system.core.partitions):
        for key in client.scan_iter(match=PartitionKeys(partition).attempt("*"), count=1000):
            attempt = system.core.dispatch_store.attempt(key.decode().rpartition(":")[2])
            assert attempt is not None
            for entry in system.core.patients.history(attempt.patient):
                place = (entry.subscription, entry.index, entry.state)
                if place == (attempt.subscription, attempt.index, State.UNKNOWN.code):
                    yield attempt.begun_ms
