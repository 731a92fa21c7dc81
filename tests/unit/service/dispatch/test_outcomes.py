"""What each answer of a carrier means for its delivery."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.delivery import TERMINAL, State
from service.carriers.base import Outcome, Result
from service.dispatch.outcomes import RETRY_CAP_S, STOPPED_WAIT_S, Verdict, verdict

BASE_S = 30.0


def judged(
    result: Result,
    *,
    attempts: int = 0,
    failures: int = 0,
    random: float = 0.5,
    retry_after_s: float | None = None,
    later_attempts: int | None = None,
) -> Verdict:
    outcome = Outcome(result, "why", retry_after_s=retry_after_s, later_attempts=later_attempts)
    return verdict(outcome, attempts, failures, random=random, base_s=BASE_S)


@pytest.mark.parametrize(
    ("result", "where", "state", "reason", "counts", "nothing_sent"),
    [
        (Result.ACCEPTED, "next", State.SENT, "accepted", True, False),
        (Result.PERMANENT, "next", State.FAILED, "refused", True, True),
        (Result.UNKNOWN, "question", State.UNKNOWN, "no_answer", True, False),
        (Result.TRANSIENT, "hold", State.PENDING, "retry", True, True),
        (Result.STOPPED, "hold", State.PENDING, "sender_stopped", False, True),
        (Result.TOO_LATE, "hold", State.PENDING, "given_back", False, True),
    ],
)
def test_each_result_has_one_meaning(
    result: Result,
    where: str,
    state: State,
    reason: str,
    *,
    counts: bool,
    nothing_sent: bool,
) -> None:
    ruling = judged(result)
    assert (ruling.where, ruling.state, ruling.reason) == (where, state, reason)
    assert (ruling.counts, ruling.nothing_sent) == (counts, nothing_sent)


def test_every_result_is_judged() -> None:
    assert all(judged(result).reason for result in Result)


@pytest.mark.parametrize(("failures", "where"), [(0, "hold"), (1, "next"), (2, "next")])
def test_what_allows_one_more_attempt_is_given_up_after_it(failures: int, where: str) -> None:
    ruling = judged(Result.TRANSIENT, attempts=failures, failures=failures, later_attempts=1)
    assert ruling.where == where
    assert ruling.fails is (where == "hold")
    assert ruling.state is (State.FAILED if where == "next" else State.PENDING)


def test_a_provider_that_was_busy_does_not_use_up_the_later_attempt() -> None:
    busy = judged(Result.TRANSIENT, attempts=3, retry_after_s=1)
    assert (busy.where, busy.counts, busy.fails) == ("hold", True, False)
    assert judged(Result.TRANSIENT, attempts=4, failures=0, later_attempts=1).where == "hold"


def test_a_wait_that_the_provider_named_comes_before_our_own() -> None:
    assert judged(Result.TRANSIENT, random=0, retry_after_s=7).wait_s == 7
    assert judged(Result.TRANSIENT, random=0.5, retry_after_s=7).wait_s == 7 + BASE_S / 2


def test_a_stopped_sender_waits_and_its_messages_come_back_apart() -> None:
    waits = [judged(Result.STOPPED, random=random).wait_s for random in (0.0, 0.25, 0.5)]
    assert waits == [STOPPED_WAIT_S, STOPPED_WAIT_S * 1.25, STOPPED_WAIT_S * 1.5]


@given(
    result=st.sampled_from(list(Result)),
    attempts=st.integers(0, 200),
    failures=st.integers(0, 3),
    random=st.floats(0, 1, exclude_max=True),
    later=st.none() | st.integers(0, 3),
)
def test_nothing_that_may_have_arrived_is_ever_tried_again(
    result: Result, attempts: int, failures: int, random: float, later: int | None
) -> None:
    ruling = judged(
        result, attempts=attempts, failures=failures, random=random, later_attempts=later
    )
    assert 0 <= ruling.wait_s <= max(RETRY_CAP_S, 2 * STOPPED_WAIT_S)
    if not ruling.nothing_sent:
        assert ruling.where in {"next", "question"}
    if ruling.where == "hold":
        assert result in {Result.TRANSIENT, Result.STOPPED, Result.TOO_LATE}
    if ruling.where == "next":
        assert ruling.state in TERMINAL | {State.SENT}
