"""The machine's clock jumps, for all processes at once: no burst, no repeat; and a beat is away."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from service.clock import from_ms
from service.store.keys import LAST_TICK
from tests.integration.faults import jumping_command
from tests.integration.faults.nights import arrived
from tests.integration.faults.patience import PATIENCE_S, TEST_S, eventually
from tests.support.system import System, kill, phone, running_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.store.history import HistoryEntry

pytestmark = pytest.mark.timeout(TEST_S)
SERVICE = frozenset({"welcome", "when-to-seek-help"})
PROGRAM = (sys.executable, "-m", jumping_command.__name__)
THERE = ZoneInfo("America/Los_Angeles")
MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=THERE)


@dataclass
class Clock:
    """The time that all processes of a system are told; it runs on from where it is set."""

    file: Path

    def set(self, instant: datetime) -> None:
        """Jump."""
        offset = instant - datetime.now(UTC)
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{offset.total_seconds():.0f}")
        draft.replace(self.file)

    def variables(self) -> dict[str, str]:
        """For the environment of a process."""
        return {jumping_command.SHIFT_FILE: str(self.file)}


@dataclass
class Jumping:
    """An installation on the real clock, whose real clock is what a test says."""

    system: System
    clock: Clock

    def start(self, command: str) -> subprocess.Popen[bytes]:
        return self.system.start(command, program=PROGRAM, variables=self.clock.variables())

    def enrol(self, number: int, series: str) -> str:
        """Enrol a patient by command, at the time that it is there; their id."""
        words = {
            "given-name": "Ana",
            "phone": phone(number),
            "sms-consent": "verbal",
            "wording": "2026-01",
            "timezone": "America/Los_Angeles",
            "state": "CA",
            "series": series,
        }
        command = [*PROGRAM, "enroll", "--json"]
        command += [part for name, word in words.items() for part in (f"--{name}", word)]
        ended = subprocess.run(
            command,
            env={**self.system.environment, **self.clock.variables()},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        patient: str = json.loads(ended.stdout)["patient"]
        return patient

    def jump(self, instant: datetime) -> None:
        """Set the clock, and wait until the beat has ticked by it and all that is due is over."""
        self.clock.set(instant)
        self.settle(instant)

    def settle(self, instant: datetime) -> None:
        """Wait until three ticks in a row have found nothing to do.

        One look is not enough: it sees the indexes one after the other, and what moves between
        them meanwhile may be in neither.
        """
        idle: set[int] = set()

        def ticked_and_idle() -> bool:
            client, dispatch = self.system.core.client, self.system.core.dispatch_store
            ticked = from_ms(int(client.get(LAST_TICK) or 0))
            now_ms = ticked.timestamp() * 1000
            pending = dispatch.peek(range(self.system.core.partitions))
            if any(each.held or (each.due_ms or now_ms + 1) <= now_ms for each in pending):
                idle.clear()
            elif timedelta(0) <= ticked - instant < timedelta(minutes=10):
                idle.add(int(ticked.timestamp()))
            return len(idle) == 3

        eventually(ticked_and_idle, f"it is idle; logs are in {self.system.directory}")

    def history(self, patient: str) -> list[HistoryEntry]:
        return self.system.core.patients.history(patient)

    def sent_at(self, patient: str, *, drips: bool = False) -> list[datetime]:
        """When each message of a patient was sent, local time; ``drips``: only what is capped."""
        entries = self.history(patient)
        sent = [e for e in entries if e.state == "s" and not (drips and e.message in SERVICE)]
        return [from_ms(entry.at_ms).astimezone(THERE) for entry in sent]


@pytest.fixture
def jumping(tmp_path: Path) -> Iterator[Jumping]:
    clock = Clock(tmp_path / "clock")
    clock.set(MONDAY_NOON)
    with running_system(
        tmp_path, clock="real", processes=(), PARTITIONS="2", SMS_PER_SECOND="1"
    ) as system:
        running = Jumping(system, clock)
        running.start("worker")
        running.start("beat")
        yield running


def only_once(jumping: Jumping) -> None:
    assert set(arrived(jumping.system).values()) <= {1}, "sent twice"


def test_a_clock_that_jumps_three_days_ahead_and_an_hour_back_causes_no_burst_and_no_repeat(
    jumping: Jumping,
) -> None:
    patients = [jumping.enrol(1, "restless-legs"), jumping.enrol(2, "sleep-hygiene")]
    jumping.settle(MONDAY_NOON)
    welcomed = [len(jumping.sent_at(patient)) for patient in patients]
    assert welcomed == [1, 1]

    thursday = MONDAY_NOON + timedelta(days=3)
    jumping.jump(thursday)
    for patient in patients:
        days = [at.date() for at in jumping.sent_at(patient, drips=True)]
        assert days.count(thursday.date()) == len(days) <= 1
    after = [len(jumping.history(patient)) for patient in patients]
    only_once(jumping)

    jumping.jump(thursday - timedelta(hours=1))
    assert [len(jumping.history(patient)) for patient in patients] == after
    only_once(jumping)
    later = [jumping.enrol(number, "sleep-hygiene") for number in range(3, 5)]
    jumping.settle(thursday - timedelta(hours=1))
    assert [len(jumping.sent_at(patient)) for patient in later] == [1] * 2, "it goes on at once"
    only_once(jumping)


def test_what_fell_due_while_the_beat_was_away_for_six_hours_goes_out_late_or_never(
    jumping: Jumping,
) -> None:
    """And never at night: it comes back at half past nine in the evening, then it is morning."""
    patients = [jumping.enrol(1, "restless-legs"), jumping.enrol(2, "sleep-hygiene")]
    jumping.settle(MONDAY_NOON)
    beat = jumping.system.processes[1]
    tuesday = MONDAY_NOON + timedelta(days=1)
    jumping.jump(tuesday + timedelta(hours=3, minutes=30))
    kill(beat)
    evening = tuesday + timedelta(hours=9, minutes=30)
    jumping.clock.set(evening)
    before = arrived(jumping.system).total()
    jumping.start("beat")
    jumping.settle(evening)
    assert arrived(jumping.system).total() == before, "nothing at night"
    for day in (2, 3):
        jumping.jump(MONDAY_NOON + timedelta(days=day, hours=8, minutes=35))
    only_once(jumping)
    for patient in patients:
        times = jumping.sent_at(patient)
        assert len(times) > 1, "it goes on"
        assert all(8 <= at.hour < 21 for at in times)
        days = [at.date() for at in jumping.sent_at(patient, drips=True)]
        assert len(set(days)) == len(days), "no burst"
    missed = [entry for entry in jumping.history(patients[1]) if entry.state == "k"]
    assert [entry.reason for entry in missed] == ["missed"], "the evening that it was away"
