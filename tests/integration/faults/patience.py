"""Waiting in these tests: long, since the machine may have other work to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tests.support.polling import until

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE_S = 90
TEST_S = 400
"""For a whole test, as ``pytest.mark.timeout``."""


def eventually(condition: Callable[[], T], what: str) -> T:
    """Ask until the answer is true, and return it.

    Raises:
        AssertionError: it did not become true in all that time; says what did not.
    """
    return until(condition, what, limit_s=PATIENCE_S)
