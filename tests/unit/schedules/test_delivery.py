"""The states of a delivery: every move is in the table, and receipts only move forward."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.delivery import (
    DEAD,
    MOVES,
    REPORTS,
    RETRIABLE,
    SETTLED,
    TERMINAL,
    State,
    advance,
    may_move,
    movable,
)

RECEIPTS = [State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED]
OVER = TERMINAL - {State.UNKNOWN}


def test_every_state_has_its_moves_and_a_letter_of_its_own() -> None:
    assert set(MOVES) == set(State)
    assert len({state.code for state in State}) == len(State)
    assert all(State.from_code(state.code) is state for state in State)


def test_an_unknown_letter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known letters"):
        State.from_code("?")


def test_every_state_can_be_reached_from_pending_and_ends() -> None:
    reached = {State.PENDING}
    while grown := {to for state in reached for to in MOVES[state]} - reached:
        reached |= grown
    assert reached == set(State)
    assert set(TERMINAL) < set(SETTLED)


@pytest.mark.parametrize("state", sorted(OVER))
def test_a_terminal_state_stays_unless_staff_have_a_refused_one_tried_again(state: State) -> None:
    assert MOVES[state] == (frozenset({State.PENDING}) if state in RETRIABLE else frozenset())
    assert {advance(state, receipt) for receipt in REPORTS} == {state}


@pytest.mark.parametrize("receipt", sorted(REPORTS))
def test_what_a_receipt_does_stands_in_the_table_of_moves(receipt: State) -> None:
    for state in State:
        after = advance(state, receipt)
        assert after is state or may_move(state, after)
        assert (state in movable(receipt)) is (after is not state)


def test_a_failure_that_proves_nothing_makes_unknown_only_what_a_provider_has() -> None:
    assert movable(State.UNKNOWN) == {State.BEGUN, State.SENT}


def test_what_may_have_arrived_is_never_tried_again_by_staff() -> None:
    assert {state for state in DEAD if may_move(state, State.PENDING)} == RETRIABLE
    assert State.UNKNOWN in DEAD - RETRIABLE


def test_an_unknown_outcome_is_settled_by_evidence_and_never_attempted_again() -> None:
    assert not any(
        may_move(State.UNKNOWN, to) for to in (State.PENDING, State.CLAIMED, State.BEGUN)
    )
    assert [advance(State.UNKNOWN, receipt) for receipt in RECEIPTS] == RECEIPTS


def test_nothing_is_sent_that_was_not_begun() -> None:
    before = {state for state in State if may_move(state, State.SENT)}
    assert before == {State.BEGUN, State.UNKNOWN}


@pytest.mark.parametrize(
    ("current", "receipt", "result"),
    [
        (State.BEGUN, State.SENT, State.SENT),
        (State.BEGUN, State.DELIVERED, State.DELIVERED),
        (State.SENT, State.SENT, State.SENT),
        (State.SENT, State.UNDELIVERED, State.UNDELIVERED),
        (State.DELIVERED, State.SENT, State.DELIVERED),
        (State.DELIVERED, State.FAILED, State.DELIVERED),
        (State.PENDING, State.SENT, State.PENDING),
        (State.PENDING, State.UNDELIVERED, State.PENDING),
        (State.PENDING, State.DELIVERED, State.DELIVERED),
        (State.PARKED, State.DELIVERED, State.PARKED),
        (State.SKIPPED, State.DELIVERED, State.SKIPPED),
    ],
)
def test_a_receipt_moves_an_attempt_forward_or_not_at_all(
    current: State, receipt: State, result: State
) -> None:
    assert advance(current, receipt) is result


@pytest.mark.parametrize("order", list(permutations([State.SENT, State.SENT, State.DELIVERED])))
def test_receipts_in_any_order_end_in_the_same_state(order: tuple[State, ...]) -> None:
    state = State.BEGUN
    for receipt in order:
        state = advance(state, receipt)
    assert state is State.DELIVERED


@given(st.sampled_from(list(State)), st.lists(st.sampled_from(RECEIPTS), max_size=6))
def test_a_receipt_applied_again_changes_nothing_and_terminal_wins(
    state: State, receipts: list[State]
) -> None:
    for receipt in receipts:
        before, state = state, advance(state, receipt)
        assert advance(state, receipt) is state
        if before in OVER:
            assert state is before


@pytest.mark.parametrize("state", sorted(set(State) - REPORTS))
def test_what_no_provider_reports_is_not_a_receipt(state: State) -> None:
    with pytest.raises(ValueError, match="not something a provider reports"):
        advance(State.BEGUN, state)
