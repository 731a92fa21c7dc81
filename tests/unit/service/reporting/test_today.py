"""The hours of a clinic's day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reporting.today import hours_of_day

ZONES = st.sampled_from(
    ["America/Los_Angeles", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
HOUR = timedelta(hours=1)


@given(ZONES, st.integers(1_700_000_000, 1_900_000_000))
def test_a_day_is_its_hours_without_a_gap(timezone: str, at: int) -> None:
    now = datetime.fromtimestamp(at, UTC)
    found = hours_of_day(timezone, now)
    assert found[0] <= now < found[-1]
    assert all(timedelta(0) < after - before <= HOUR for before, after in pairwise(found))
    days = [each.astimezone(ZoneInfo(timezone)).date() for each in found]
    assert len(set(days[:-1])) == 1
    assert days[-1] == days[0] + timedelta(days=1)


@pytest.mark.parametrize(("day", "hours"), [(7, 24), (8, 23)])
def test_a_day_on_which_the_clocks_are_changed_is_shorter(day: int, hours: int) -> None:
    noon = datetime(2026, 3, day, 20, tzinfo=UTC)
    assert len(hours_of_day("America/Los_Angeles", noon)) == hours + 1
