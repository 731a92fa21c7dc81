"""Instants to ms and back, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import SystemClock, from_ms, to_ms

LAST = to_ms(datetime(2200, 1, 1, tzinfo=UTC))


@given(st.integers(-LAST, LAST))
def test_ms_are_an_instant_and_the_instant_those_ms(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 - zoned below
    st.integers(-14 * 60, 14 * 60),
)
def test_the_zone_an_instant_is_told_in_is_no_matter(naive: datetime, minutes: int) -> None:
    utc = naive.replace(tzinfo=UTC)
    assert to_ms(utc.astimezone(timezone(timedelta(minutes=minutes)))) == to_ms(utc)
    assert timedelta(0) <= utc - from_ms(to_ms(utc)) < timedelta(milliseconds=1)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_ms(datetime(2026, 3, 2))  # noqa: DTZ001 - the point of it


def test_the_systems_clock_never_goes_back_by_itself() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)
    assert clock.now_ms() > to_ms(datetime(2026, 1, 1, tzinfo=UTC))
