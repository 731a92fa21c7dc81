"""Filling a store: many patients through the real enrolment, their writes gathered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from service.bootstrap import Core
from service.enrolment.enrol import Receipt
from service.enrolment.form import EnrolmentForm

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


def enrol_all(core: Core, count: int, form: Callable[[int], EnrolmentForm]) -> list[str]:
    """Enrol ``count`` patients who are not known yet; their ids.

    Args:
        core: an open store.
        count: how many.
        form: the form of patient 0, 1 and so on.
    """
    made = []
    for first in range(0, count, TOGETHER):
        turns = range(first, min(first + TOGETHER, count))
        asked = core.enrolment.look([core.enrolment.check(form(turn)) for turn in turns])
        for receipt in core.enrolment.enrol_all(asked, source="bench"):
            assert isinstance(receipt, Receipt), receipt
            made.append(receipt.patient)
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
