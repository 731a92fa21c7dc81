"""How long to wait before another attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.backoff import delay


@pytest.mark.parametrize(
    ("attempt", "random", "seconds"),
    [(0, 0.5, 0.5), (1, 0.5, 1.0), (3, 0.5, 4.0), (20, 0.5, 150.0), (0, 0.0, 0.0)],
)
def test_the_wait_doubles_up_to_a_cap(attempt: int, random: float, seconds: float) -> None:
    assert delay(attempt, random) == seconds


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True), st.floats(0.1, 1e4))
def test_the_wait_is_never_negative_and_never_above_the_cap(
    attempt: int, random: float, cap_s: float
) -> None:
    assert 0 <= delay(attempt, random, cap_s=cap_s) <= cap_s


@pytest.mark.parametrize(("attempt", "random"), [(-1, 0.5), (0, 1.0), (0, -0.1)])
def test_a_wrong_attempt_or_random_number_is_refused(attempt: int, random: float) -> None:
    with pytest.raises(ValueError, match=r"attempt|random"):
        delay(attempt, random)
