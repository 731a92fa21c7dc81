from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from schedules.delivery import State
from schedules.reasons import Reason
from service.dispatch.reasons import SENTENCES
from service.reporting.lines import (
    NOT_SENT,
    PLANNED,
    STANDING_SENTENCES,
    Line,
    sentence_of,
    standing_sentence,
)

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def line(
    outcome: str = "sent",
    *,
    reason: str | None = None,
    ended: datetime | None = None,
    expected: datetime | None = None,
) -> Line:
    return Line(
        subscription="ana.1",
        series="restless-legs",
        due=MONDAY,
        step="walking",
        message="walking",
        channel="sms",
        outcome=outcome,
        reason=reason,
        sentence="",
        ended=ended,
        expected=expected,
    )


def days(found: Line, today: date = date(2026, 3, 5)) -> list[int]:
    return [day for day in range(1, 9) if found.touches(date(2026, 3, day), today)]


@pytest.mark.parametrize(
    ("found", "touched"),
    [
        (line(ended=MONDAY), [2]),
        (line(ended=MONDAY + timedelta(days=2)), [2, 3, 4]),
        (line(PLANNED, expected=MONDAY + timedelta(days=1)), [2, 3]),
        (line(PLANNED, reason="paused"), [2, 3, 4, 5]),
        (line("begun", reason="in_question"), [2, 3, 4, 5]),
        (line(PLANNED, reason="waits_its_turn"), [2]),
        (line(NOT_SENT, reason="opted_out"), [2]),
        (line(NOT_SENT, reason="expired"), [2, 3, 4, 5]),
    ],
)
def test_a_delivery_touches_each_day_from_its_time_to_its_end(
    found: Line, touched: list[int]
) -> None:
    assert days(found) == touched


def test_a_delivery_still_to_come_touches_its_own_day_alone() -> None:
    assert days(line(PLANNED), today=date(2026, 2, 1)) == [2]


@pytest.mark.parametrize("reason", [*SENTENCES, *STANDING_SENTENCES, *Reason])
def test_every_reason_has_a_sentence_for_staff(reason: str) -> None:
    assert standing_sentence(reason).endswith(".")
    assert "another release" not in standing_sentence(reason)


def test_a_provider_code_is_told_with_what_became_of_it() -> None:
    assert "30005" in sentence_of(State.UNDELIVERED, "receipt", "30005")
    assert sentence_of(State.SENT, "accepted", "") == "The provider accepted it."
