"""Waiting in tests: for something to become true, up to a deadline, never for a time to pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, *, limit_s: float = 10) -> T:
    """Ask until the answer is true, and return it.

    Raises:
        AssertionError: it did not become true within the limit; says what did not.
    """
    deadline = time.monotonic() + limit_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(0.01)
