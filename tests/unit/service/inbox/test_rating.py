"""Where ratings are going once staff have put one right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schedules.check_ins import Trend, trend
from service.inbox.rating import before, going, in_order
from service.store.check_ins import CheckIn

RATINGS = st.lists(
    st.builds(
        CheckIn,
        st.uuids().map(str),
        st.sampled_from(["symptom-check", "sleep-check"]),
        st.integers(0, 10),
        st.integers(0, 5),
    ),
    max_size=8,
)


def test_nothing_is_going_anywhere_without_a_rating() -> None:
    assert going([]) is None


def test_the_newest_is_held_against_its_own_question_only() -> None:
    ratings = [
        CheckIn("r1", "symptom-check", 7, 1),
        CheckIn("r2", "sleep-check", 2, 2),
        CheckIn("r3", "symptom-check", 4, 3),
    ]
    assert going(ratings) is Trend.BETTER
    assert going(ratings[:2]) is Trend.SAME


@given(RATINGS)
def test_it_is_what_it_would_be_had_they_come_one_by_one(found: list[CheckIn]) -> None:
    expected = None
    earlier: dict[str, list[int]] = {}
    for each in in_order(found):
        expected = trend(earlier.setdefault(each.topic, []), each.rating)
        assert before(in_order(found), each) == earlier[each.topic]
        earlier[each.topic].append(each.rating)
    assert going(in_order(found)) is expected
