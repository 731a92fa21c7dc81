"""An open core with two clinics, for the use cases of staff."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from service.bootstrap import Core
from service.enrolment.form import EnrolmentForm
from service.settings import load_settings
from service.store.flights import Beginning, Conclusion
from service.store.history import HistoryEntry
from service.store.keys import partition_of
from tests.support.clinics import two_clinics
from tests.support.servers import valkey_server

NOON = "2026-03-03T20:00:00"
"""A Tuesday, noon in Portland."""
_numbers = count(1)


class Desk:
    """The use cases, and patients to use them on.

    Attributes:
        core: on a store of its own.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    def form(self, given_name: str = "Ana", **changes: str) -> EnrolmentForm:
        """A filled-in form with a phone and a mailbox that nobody else has."""
        number = next(_numbers)
        fields = {
            "clinic": "riverside",
            "series": "restless-legs",
            "timezone": "America/Los_Angeles",
            "state": "OR",
            "phone": f"+1503555{number:04d}",
            "email": f"patient{number}@example.org",
            "sms_consent": "verbal",
            "email_consent": "verbal",
            "wording": "2026-01",
        } | changes
        return EnrolmentForm(given_name=given_name, **fields)

    def enrol(self, given_name: str = "Ana", **changes: str) -> str:
        """Enrol somebody; their id."""
        return self.core.enrolment.enrol(self.form(given_name, **changes), source="test").patient

    def send_next(self, patient: str) -> None:
        """Let a worker send what is due to a patient, as far as the store can tell."""
        store, machine = self.core.dispatch_store, self.core.machine
        now_ms, lease_ms = self.core.business.now_ms(), machine.now_ms() + 60_000
        partition = partition_of(patient)
        (claimed,) = [
            claim
            for claim in store.claim(partition, now_ms, 10, lease_ms)
            if claim.fields.id == patient
        ]
        attempt = self.core.patients.new_attempt(patient)
        assert store.begin([Beginning(claimed, attempt, "sms", lease_ms, None, now_ms)]) == ["ok"]
        entry = HistoryEntry(1, 0, "s", "welcome", "sms", now_ms, now_ms, 1, "accepted")
        done = Conclusion(
            claimed.subscription.id,
            claimed.token,
            "bq",
            "due",
            now_ms + 86_400_000,
            cursor=(1, 0, 0),
            entry=entry,
            attempt=attempt,
        )
        assert store.conclude([done]) == [True]

    def to(self, instant_ms: int) -> None:
        """Let business time go on to an instant."""
        self.core.client.hset("av:clock", "now", instant_ms)

    def later(self, *, hours: float = 0, days: float = 0) -> None:
        """Let business time go on."""
        self.to(self.core.business.now_ms() + int((hours + 24 * days) * 3_600_000))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk at which it is noon in Portland, on a store of its own."""
    with valkey_server(tmp_path / "store") as server:
        core = Core(
            load_settings(
                redis_url=server.url,
                data_dir=tmp_path,
                clinics=two_clinics(tmp_path),
                clock=f"fast:1@{NOON}",
                partitions=4,
            ),
            server.url,
        )
        yield Desk(core)
        core.close()
