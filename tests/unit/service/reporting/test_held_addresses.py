"""Which addresses are, or were, a patient's, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time

from service.clock import to_ms
from service.reporting.happened import BEFORE_MS, held_addresses
from service.store.records import Patient

OLD, NEW, MAILBOX = "+15035550100", "+15035550101", "ana@example.org"


def on(day: int) -> int:
    return to_ms(datetime(2026, 3, day, tzinfo=UTC))


def consent(address: str, day: int, channel: str = "sms") -> dict[str, str]:
    at = datetime(2026, 3, day, tzinfo=UTC).isoformat()
    return {"channel": channel, "method": "verbal", "address": address, "at": at}


def ana(phone: str | None) -> Patient:
    return Patient(
        id="0" * 12,
        clinic="riverside",
        given_name="Ana",
        phone=phone,
        email=MAILBOX,
        language="en",
        timezone="America/Los_Angeles",
        country="US",
        state=None,
        bedtime=time(22, 30),
        channels=("sms", "email"),
    )


def test_an_address_that_was_never_corrected_is_theirs_all_along() -> None:
    held = held_addresses(ana(OLD), [consent(OLD, 2), consent(MAILBOX, 2, "email")])
    assert [(each.address, each.since_ms, each.until_ms) for each in held] == [
        (OLD, 0, None),
        (MAILBOX, 0, None),
    ]


def test_a_corrected_one_was_theirs_until_then_and_the_new_one_is_from_then_on() -> None:
    old, new = held_addresses(ana(NEW), [consent(OLD, 2), consent(NEW, 9)])[:2]
    assert (old.address, old.until_ms) == (OLD, on(9))
    assert (new.address, new.since_ms) == (NEW, on(9) - BEFORE_MS)
    assert old.at(on(8))
    assert not old.at(on(9))
    assert new.at(on(9))
    assert not new.at(on(2))


def test_one_that_came_back_is_theirs_from_its_first_day_on() -> None:
    rows = [consent(OLD, 2), consent(NEW, 9), consent(OLD, 12)]
    held = {each.address: each for each in held_addresses(ana(OLD), rows)}
    assert held[OLD].until_ms is None
    assert held[OLD].since_ms == on(2) - BEFORE_MS
    assert held[NEW].until_ms == on(12)


def test_evidence_without_an_address_tells_nothing() -> None:
    row = {"channel": "sms", "method": "verbal", "at": "2026-03-02T00:00:00+00:00"}
    assert [each.address for each in held_addresses(ana(OLD), [row])] == [OLD, MAILBOX]
