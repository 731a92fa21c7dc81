"""The two clocks: business time (due times, windows, caps) and machine time (leases, deadlines).

Both are passed in. Machine time is always real. Business time may run fast, and then lives in the
store, so that every process reads the same instant; only beat moves it (see ``dispatch.tick``).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class BusinessClock(Protocol):
    """Tells the instant that due times and windows are held against."""

    def now_ms(self) -> int:
        """Business time, ms UTC."""
        ...


class MachineClock(Protocol):
    """Tells the machine's own time."""

    def now_ms(self) -> int:
        """Wall-clock time, ms UTC; shared by machines that keep their clocks (NTP)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for this machine only."""
        ...


class SystemClock:
    """The machine's clock; also the business clock of every real installation."""

    def now_ms(self) -> int:
        """Wall-clock time, ms UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


def to_ms(instant: datetime) -> int:
    """An aware instant as ms UTC, exactly.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return (instant - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """An aware UTC instant from ms UTC."""
    return _EPOCH + ms * _MS
