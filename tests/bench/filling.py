"""Filling a store: many patients through the real enrolment, their writes gathered."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.bootstrap import Core
from service.enrolment.enrol import Enrolment
from service.enrolment.form import EnrolmentForm
from service.store.connection import Durability
from service.store.patients import Patients
from service.store.scripts import Call, Scripts
from service.store.suppressions import Suppressions

TOGETHER = 250
"""Enrolments whose writes go to the store in one round trip."""
NOON_SOMEWHERE = (
    "Pacific/Pago_Pago",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Pacific/Auckland",
)
NAMES = ("Ana", "José", "Margaret", "Wei", "Christopher", "Olu", "Katarzyna", "Sam")


class Gathering(Scripts):
    """Writes of many enrolments in one round trip: each waits until `flush`.

    The answers are those of a store that knows none of the patients, which `flush` verifies.
    """

    _FRESH: dict[str, Any] = {  # noqa: RUF012
        "enrol": [b"ok", b"1", b"a"],
        "join_address": [b"0", b"0", b""],
        "enlist": [1],
    }
    waiting: dict[str, list[Call]]

    def run_durably(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Let the calls wait."""
        self.waiting.setdefault(name, []).extend(calls)
        return [self._FRESH[name]] * len(calls)

    def read_hash(self, key: str) -> dict[str, bytes]:
        """Nobody uses the address yet; asking the store for each would take most of the time."""
        del key
        return {}

    def flush(self) -> None:
        """Do what has waited, durably."""
        for name in ("join_address", "enlist", "enrol"):
            calls = self.waiting.pop(name)
            for answer in super().run_durably(name, calls):
                assert name == "enlist" or answer[0] == self._FRESH[name][0], answer


def enrol_all(core: Core, count: int, form: Callable[[int], EnrolmentForm]) -> list[str]:
    """Enrol ``count`` patients who are not known yet; their ids.

    Args:
        core: an open store.
        count: how many.
        form: the form of patient 0, 1 and so on.
    """
    gathering = Gathering(core.client, Durability.of(core.client))
    gathering.waiting = {}
    suppressions = Suppressions(gathering, core.index, core.partitions, core.business)
    patients = Patients(
        core.client,
        gathering,
        core.keyring,
        core.partitions,
        core.business,
        os.urandom,
        core.index,
    )
    enrolment = Enrolment(patients, suppressions, core.catalog, core.clinics, core.business)
    made = []
    for turn in range(count):
        made.append(enrolment.enrol(form(turn), source="bench").patient)
        if turn % TOGETHER == TOGETHER - 1 or turn == count - 1:
            gathering.flush()
    return made


def a_form(number: int, zone: str, *, text: bool, mail: bool) -> EnrolmentForm:
    """A filled-in form; phone and mailbox are made of the number, so they are nobody else's."""
    contact: dict[str, str] = {}
    if text:
        contact |= {"phone": f"+1503{2_000_000 + number}", "sms_consent": "verbal"}
    if mail:
        contact |= {"email": f"patient{number}@example.org", "email_consent": "verbal"}
    return EnrolmentForm(
        clinic="",
        given_name=NAMES[number % len(NAMES)],
        series="restless-legs",
        timezone=zone,
        wording="2026-01",
        **contact,
    )


def noon_zone(now: datetime | None = None) -> str:
    """A zone whose clock is nearest to noon: every window is open there."""

    def away(name: str) -> float:
        local = (now or datetime.now(UTC)).astimezone(ZoneInfo(name))
        return abs(local.hour + local.minute / 60 - 12)

    return min(NOON_SOMEWHERE, key=away)
