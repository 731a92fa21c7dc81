"""Patients who are moved to another version get nothing twice, and all that is still to come."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.calendar import Profile, local_date
from schedules.catchup import REMEMBERED_DAYS
from schedules.check_ins import Trend
from schedules.moving import Move, Underway, plan_move
from schedules.plan import plan
from schedules.reasons import Reason
from schedules.simulate import Enrolment, Sent, Skipped, simulate
from schedules.steps import CATCH_UPS, Series, Step
from schedules.versions import counterparts
from tests.unit.schedules.strategies import (
    a_series,
    a_step,
    day,
    patients,
    times_of_day,
    utc,
)

NEW_YORK = Profile("America/New_York", state="NY", jitter_key="a patient")
START = day("2026-03-02")  # a Monday
ENROLLED = utc("2026-03-02 15:00")
FIVE = a_series(*(a_step(number, "10:00") for number in range(1, 6)))


def on(days: int) -> datetime:
    """Noon in New York, so many days after the start."""
    return ENROLLED + timedelta(days=days, hours=2)


def moved(
    *steps: Step,
    at: int = 0,
    index: int = 0,
    passed: tuple[int, ...] = (),
    done: tuple[int, ...] = (),
    catch_up: str = "spread",
) -> Move:
    """Move somebody who stands at a step of five to the steps given, so many days in."""
    new = replace(a_series(*steps, catch_up=catch_up), version=2)
    underway = Underway(index, START, ENROLLED, passed, done)
    return plan_move(FIVE, new, underway, NEW_YORK, on(at))


def test_where_nothing_differs_nothing_changes() -> None:
    found = moved(*FIVE.steps, at=2, index=2)
    assert (found.index, found.done, found.same) == (2, (), True)
    assert (found.gets, found.loses, found.shifted, found.late) == ((), (), (), ())


def test_what_they_had_and_stands_later_now_is_not_sent_again() -> None:
    one, two, three, four, five = FIVE.steps
    found = moved(three, four, replace(one, day=6), five, replace(two, day=9), at=2, index=2)
    assert (found.index, found.done) == (0, (2, 4))
    assert (found.gets, found.loses, found.shifted) == ((), (), ())


def test_a_new_step_ahead_is_got_and_a_removed_one_is_lost() -> None:
    one, two, three, _, five = FIVE.steps
    found = moved(one, two, three, a_step(4, "12:00", id="new"), five, at=2, index=2)
    assert (found.gets, found.loses) == (("new",), ("day-4",))


def test_a_new_step_whose_time_has_passed_is_left_to_the_catch_up_policy() -> None:
    one, *rest = FIVE.steps
    found = moved(one, a_step(1, "12:00", id="new"), *rest, at=3, index=3)
    assert (found.index, found.done, found.late) == (1, (2, 3), ("new",))
    assert found.due is not None
    assert found.due < on(3)


def test_a_step_that_was_passed_over_comes_only_where_its_time_is_ahead() -> None:
    one, two, *rest = FIVE.steps
    assert moved(one, two, *rest, at=2, index=2, passed=(0,)).index == 2
    found = moved(two, *rest, replace(one, day=8), at=2, index=2, passed=(0,))
    assert (found.index, found.done, found.gets) == (1, (), ("day-1",))


def test_what_was_over_before_an_earlier_move_stays_so() -> None:
    found = moved(*FIVE.steps, at=2, index=2, done=(3,))
    assert (found.index, found.done) == (2, (3,))
    assert found.loses == ()


def test_a_step_that_came_and_went_with_a_version_in_between_is_not_sent_again() -> None:
    passing = a_step(1, id="passing")
    between = replace(a_series(passing, *FIVE.steps), version=2)
    new = replace(between, version=3)
    stood = Underway(2, START, ENROLLED, before=[(between, {0, 1})])
    assert plan_move(FIVE, new, stood, NEW_YORK, on(2)).index == 3
    unaware = replace(stood, before=())
    assert plan_move(FIVE, new, unaware, NEW_YORK, on(2)).index == 0


def test_a_step_at_another_time_is_told() -> None:
    *before, last = FIVE.steps
    assert moved(*before, replace(last, day=7), at=2, index=2).shifted == ("day-5",)


def test_a_step_with_another_message_channel_or_branch_is_told_as_changed() -> None:
    one, two, three, four, five = FIVE.steps
    found = moved(
        replace(one, message="x"), two, replace(three, message="x"), four, five, at=1, index=1
    )
    assert (found.changed, found.shifted) == (("day-3",), ())
    assert moved(*FIVE.steps[:4], replace(five, unless=Trend.BETTER)).changed == ("day-5",)
    assert moved(*FIVE.steps[:4], replace(five, day=9)).changed == ()


def test_who_has_nothing_left_is_complete() -> None:
    found = moved(*FIVE.steps[:3], at=3, index=3)
    assert (found.index, found.due, found.loses) == (3, None, ("day-4", "day-5"))


def test_a_renamed_step_is_not_sent_again() -> None:
    one, *rest = FIVE.steps
    found = moved(*rest, replace(one, id="renamed", day=9), at=1, index=1)
    assert (found.index, found.done) == (0, (4,))


@st.composite
def versions(draw: st.DrawFn, old: Series) -> Series:
    """Draw what an author may have made of a series: anything, in the order of its days."""
    kept = draw(st.lists(st.sampled_from(old.steps), unique=True, max_size=len(old.steps)))
    steps = []
    for step in kept:
        changed = replace(step, day=max(0, step.day + draw(st.integers(-4, 8))))
        if draw(st.booleans()):
            changed = replace(changed, channel=draw(st.sampled_from(["sms", "email"])))
        if step.at.kind != "enrolment" and draw(st.booleans()):
            changed = replace(changed, at=draw(times_of_day))
        if draw(st.integers(0, 5)) == 0:
            changed = replace(changed, id=f"renamed-{step.id}")
        steps.append(changed)
    steps += [
        Step(
            f"new-{number}",
            f"new-{number}",
            draw(st.integers(0, 20)),
            draw(times_of_day),
            draw(st.sampled_from(["sms", "email"])),
            timedelta(hours=draw(st.sampled_from([2, 60, 24 * 21]))),
            draw(st.sampled_from(["drip", "service"])),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    steps = steps or [replace(old.steps[0], id="only", message="only")]
    return replace(
        old,
        version=2,
        catch_up=draw(st.sampled_from(CATCH_UPS)),
        steps=tuple(sorted(steps, key=lambda step: step.day)),
    )


Case = tuple[Profile, Enrolment, Series, datetime]


@st.composite
def moves(draw: st.DrawFn) -> Case:
    """Draw a patient with one subscription, a version to move to, and when."""
    profile, (enrolment, *_), _ = draw(patients())
    enrolment = replace(enrolment, pauses=())
    when = enrolment.enrolled_at + timedelta(minutes=draw(st.integers(-60, 40 * 24 * 60)))
    return profile, enrolment, draw(versions(enrolment.series)), when


def walked(case: Case) -> tuple[list[Sent | Skipped], Move, list[Sent | Skipped]]:
    """Walk up to the move in the one version, and on in the other."""
    profile, enrolment, new, when = case
    first = [each for each in simulate(profile, [enrolment]) if each.at <= when]
    underway = Underway(
        index=len(first),
        start=enrolment.start,
        enrolled_at=enrolment.enrolled_at,
        passed={each.index for each in first if isinstance(each, Skipped)},
    )
    move = plan_move(enrolment.series, new, underway, profile, when)
    recent = tuple(
        local_date(profile, each.at)
        for each in first
        if isinstance(each, Sent) and each.step.kind == "drip"
    )
    following = replace(enrolment, series=new, index=move.index, done=frozenset(move.done))
    rest = simulate(profile, [following], since=when, recent=recent[-REMEMBERED_DAYS:])
    return first, move, list(rest)


@settings(max_examples=300, deadline=None)
@given(moves())
def test_nobody_gets_a_step_twice(case: Case) -> None:
    first, _, rest = walked(case)
    same = counterparts(case[1].series, case[2])
    before = {each.index for each in first if isinstance(each, Sent)}
    again = [same.get(each.index) for each in rest if isinstance(each, Sent)]
    assert not before & set(again)
    assert len({each.index for each in rest}) == len(rest)


@settings(max_examples=300, deadline=None)
@given(moves())
def test_what_is_still_to_come_goes_out_or_has_a_reason_of_the_policys(case: Case) -> None:
    """Each step of the newer version they had, was passed over for good, or is decided on."""
    first, move, rest = walked(case)
    profile, enrolment, new, when = case
    same = counterparts(enrolment.series, new)
    over = {each.index for each in first}
    had = {each.index for each in first if isinstance(each, Sent)}
    decided = {each.index: each for each in rest}
    for planned in plan(new, profile, enrolment.start, enrolment.enrolled_at):
        place = same.get(planned.index)
        outcome = decided.get(planned.index)
        if place in had or (place in over and planned.due <= when):
            assert planned.index < move.index or planned.index in move.done
            assert outcome is None or (
                isinstance(outcome, Skipped) and outcome.reason is Reason.DONE_BEFORE
            )
        else:
            assert outcome is not None
            assert not isinstance(outcome, Skipped) or outcome.reason is not Reason.DONE_BEFORE
    assert (move.due is None) == (move.index == len(new.steps))


@settings(max_examples=200, deadline=None)
@given(moves())
def test_what_is_told_of_a_move_is_what_comes_of_it(case: Case) -> None:
    first, move, rest = walked(case)
    old, new = case[1].series, case[2]
    names = {new.steps[each.index].id for each in rest if each.index not in move.done}
    waiting = {step.id for step in old.steps[len(first) :]}
    same = {new.steps[at].id: old.steps[place].id for at, place in counterparts(old, new).items()}
    assert {name for name in names if same.get(name) not in waiting} == set(move.gets)
    assert waiting - {same.get(name) for name in names} == set(move.loses)
    assert set(move.late) <= names


@settings(max_examples=200, deadline=None)
@given(moves())
def test_a_move_is_never_followed_by_a_flood(case: Case) -> None:
    first, _, rest = walked(case)
    drips = [
        local_date(case[0], each.at)
        for each in (*first, *rest)
        if isinstance(each, Sent) and each.step.kind == "drip"
    ]
    assert len(drips) == len(set(drips))


@pytest.mark.parametrize("catch_up", CATCH_UPS)
def test_moving_there_and_back_leaves_them_where_they_were(catch_up: str) -> None:
    one, two, three, four, five = FIVE.steps
    new = replace(a_series(three, one, four, two, five, catch_up=catch_up), version=2)
    there = plan_move(FIVE, new, Underway(2, START, ENROLLED), NEW_YORK, on(2))
    back = plan_move(
        new,
        FIVE,
        Underway(there.index, START, ENROLLED, done=there.done),
        NEW_YORK,
        on(2),
    )
    assert (back.index, back.done) == (2, ())
