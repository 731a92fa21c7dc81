"""What differs between two versions of a series."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.check_ins import Trend
from schedules.errors import ScheduleError
from schedules.series import load_series
from schedules.steps import Series, Step, Wording
from schedules.versions import Change, counterparts, difference, span
from tests.unit.schedules.strategies import a_series, a_step

ONE, TWO, THREE = a_step(1), a_step(2), a_step(3)


def newer(*steps: Step, **changes: object) -> Series:
    return replace(a_series(*steps), version=2, **changes)  # type: ignore[arg-type]


def told(old: Series, new: Series) -> list[str]:
    """Tell each change as "step: kinds"."""
    return [f"{each.step}: {' '.join(each.changes)}" for each in difference(old, new).steps]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((ONE, TWO, THREE), []),
        ((ONE, THREE), ["day-2: removed"]),
        ((TWO, THREE), ["day-1: removed"]),
        ((ONE, TWO), ["day-3: removed"]),
        ((ONE, a_step(2, id="new"), TWO, THREE), ["new: added"]),
        ((ONE, THREE, TWO), ["day-3: order"]),
        ((THREE, ONE, TWO), ["day-3: order"]),
        ((ONE, replace(TWO, message="other"), THREE), ["day-2: message"]),
        ((ONE, replace(TWO, channel="email"), THREE), ["day-2: channel"]),
        ((ONE, replace(TWO, day=5), THREE), ["day-2: time"]),
        ((ONE, replace(TWO, at=a_step(2, "17:00").at), THREE), ["day-2: time"]),
        ((ONE, replace(TWO, kind="service"), THREE), ["day-2: kind"]),
        ((ONE, replace(TWO, expires_after=timedelta(days=1)), THREE), ["day-2: expiry"]),
        ((ONE, replace(TWO, unless=Trend.BETTER), THREE), ["day-2: branch"]),
        ((ONE, replace(TWO, id="renamed"), THREE), ["renamed: renamed"]),
        ((ONE, replace(TWO, day=5, channel="email"), THREE), ["day-2: channel time"]),
        ((a_step(9),), ["day-9: added", "day-1: removed", "day-2: removed", "day-3: removed"]),
    ],
)
def test_each_change_of_a_step_is_told(steps: tuple[Step, ...], expected: list[str]) -> None:
    assert told(a_series(ONE, TWO, THREE), newer(*steps)) == expected


def test_changes_of_the_series_as_a_whole_are_told() -> None:
    old = a_series(ONE, catch_up="skip")
    changes = {
        "title": "Other tips",
        "catch_up": "latest",
        "nightly": True,
        "wording": (Wording("es", "Consejos", "1 mensaje"),),
    }
    found = difference(old, newer(ONE, **changes))
    assert [(each.name, each.old, each.new) for each in found.settings] == [
        ("title", "Tips", "Other tips"),
        ("nightly", "false", "true"),
        ("catch_up", "skip", "latest"),
        ("title_es", "Tips", "Consejos"),
        ("frequency_es", "about 4 messages a week for 1 week", "1 mensaje"),
    ]
    assert found.steps == ()


def test_a_step_of_another_name_with_the_same_message_is_the_same_step() -> None:
    renamed = replace(TWO, id="renamed")
    assert counterparts(a_series(ONE, TWO), newer(renamed, ONE)) == {0: 1, 1: 0}


def test_of_two_steps_with_one_message_each_has_a_counterpart_of_its_own() -> None:
    first, second = replace(ONE, message="x"), replace(TWO, message="x")
    new = newer(replace(first, id="a"), replace(second, id="b"))
    assert counterparts(a_series(first, second), new) == {0: 0, 1: 1}


def test_two_series_are_not_compared() -> None:
    with pytest.raises(ScheduleError, match="two series"):
        difference(a_series(ONE), a_series(ONE, name="other"))


def test_the_published_versions_differ_in_what_those_who_are_better_are_spared() -> None:
    found = difference(load_series("restless-legs", 1), load_series("restless-legs", 2))
    assert found.count(Change.BRANCH) == len(found.steps) == 10


@given(st.permutations(range(8)), st.integers(0, 8), st.integers(0, 8))
def test_whatever_was_done_to_it_old_and_changes_make_the_new(
    order: list[int], kept: int, more: int
) -> None:
    old = a_series(*(a_step(number) for number in range(8)))
    steps = [old.steps[place] for place in order[:kept]]
    steps += [a_step(100 + number) for number in range(more)]
    found = difference(old, newer(*steps))
    assert found.count(Change.ADDED) == more
    assert found.count(Change.REMOVED) == 8 - kept
    moved = {each.step for each in found.steps if Change.ORDER in each.changes}
    days = [step.day for step in steps if step.id not in moved]
    assert days == sorted(days), "what was not moved stands in the old order"
    named = [each.step for each in found.steps if each.new]
    assert named == [step.id for step in steps if step.id in named], "told in the new order"


@pytest.mark.parametrize("text", ["21d", "2h", "90m", "36h"])
def test_a_span_is_told_as_a_series_file_has_it(text: str) -> None:
    units = {"d": "days", "h": "hours", "m": "minutes"}
    assert span(timedelta(**{units[text[-1]]: int(text[:-1])})) == text
