from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from schedules.calendar import Profile
from schedules.plan import plan
from schedules.series import load_series
from service.clock import to_ms
from service.reporting.coming import coming
from service.reporting.lines import Line
from service.store.records import PatientFields, pack_subscription

ENROLLED = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
START = date(2026, 3, 2)
PROFILE = Profile("America/Los_Angeles", state="OR", bedtime=time(20, 0), jitter_key="ana")
TIPS = load_series("restless-legs")
NIGHTS = load_series("sleep-hygiene")


def lines_of(now: datetime, *, profile: Profile = PROFILE, **fields: str) -> list[Line]:
    stored = {
        "c": "-",
        "h": "se",
        "s1": pack_subscription(TIPS.name, TIPS.version, START, to_ms(ENROLLED)),
        "k1": "1|0",
        "u1": "a",
    } | fields
    record = PatientFields("ana", {name: value.encode() for name, value in stored.items()})
    subscription = record.subscription(1)
    assert subscription is not None
    return list(coming(record, subscription, profile, now))


def due(index: int) -> datetime:
    return plan(TIPS, PROFILE, START, ENROLLED)[index].due


def test_what_comes_begins_at_the_cursor_and_ends_with_the_series() -> None:
    found = lines_of(ENROLLED)
    assert [line.step for line in found] == [step.id for step in TIPS.steps[1:]]
    assert {(line.outcome, line.reason) for line in found} == {("planned", None)}
    assert [line.due for line in found] == [
        planned.due for planned in plan(TIPS, PROFILE, START, ENROLLED)
    ][1:]


def test_times_are_on_the_patients_own_clock() -> None:
    first = lines_of(ENROLLED)[0].due
    assert first is not None
    assert (first.utcoffset(), str(first.tzinfo)) == (timedelta(hours=-8), "America/Los_Angeles")


def test_a_completed_subscription_has_nothing_to_come() -> None:
    assert lines_of(ENROLLED, u1="c") == []


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("p", "paused", "planned"),
        ("n", "pending", "planned"),
        ("o", "opted_out", "not_sent"),
        ("x", "unreachable", "not_sent"),
    ],
)
def test_a_subscription_that_does_not_run_says_so_for_each_step(
    status: str, reason: str, outcome: str
) -> None:
    found = lines_of(due(1) + timedelta(minutes=1), u1=status)
    assert {(line.outcome, line.reason) for line in found} == {(outcome, reason)}
    assert all(line.sentence for line in found)


@pytest.mark.parametrize("status", ["o", "x"])
def test_a_step_that_a_provider_may_have_is_not_called_unsent_by_a_stop(status: str) -> None:
    first, second, *_ = lines_of(due(1), f1="7|b|0|attempt", k1="1|0", u1=status)
    assert (first.outcome, first.reason) == ("begun", "in_question")
    assert second.outcome == "not_sent"


@pytest.mark.parametrize(
    ("flight", "outcome", "reason", "attempts"),
    [
        ("7|c|0", "claimed", "under_way", 2),
        ("7|b|0|attempt", "begun", "in_question", 3),
        ("7|q|0|attempt", "begun", "in_question", 3),
        ("7|r|0", "pending", "retry", 2),
    ],
)
def test_a_step_in_flight_is_told_with_its_attempts(
    flight: str, outcome: str, reason: str, attempts: int
) -> None:
    first, second, *_ = lines_of(due(1), f1=flight, k1="1|2")
    assert (first.outcome, first.reason, first.attempts) == (outcome, reason, attempts)
    assert (second.outcome, second.reason, second.attempts) == ("planned", None, 0)


def test_a_step_whose_time_has_come_goes_within_moments() -> None:
    assert lines_of(due(1) + timedelta(minutes=1))[0].reason == "due_now"


def test_a_step_that_quiet_hours_hold_says_when_it_is_looked_at_again() -> None:
    night = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
    first = lines_of(night)[0]
    assert first.due is not None
    assert first.due < night
    assert (first.outcome, first.reason) == ("planned", "quiet_hours")
    assert first.expected is not None
    assert first.expected > night
    assert first.touches(date(2026, 3, 4), date(2026, 3, 4))


def test_a_tip_that_the_daily_cap_holds_says_so() -> None:
    at = due(2) + timedelta(minutes=5)
    today = at.astimezone(UTC).date()
    first = lines_of(at, k1="2|0", r=str(today.toordinal()))[0]
    assert first.reason == "daily_cap"


def test_tips_wait_for_a_nightly_series_that_is_under_way() -> None:
    nightly = pack_subscription(NIGHTS.name, NIGHTS.version, START, to_ms(ENROLLED))
    found = lines_of(ENROLLED, s2=nightly, u2="a", k2="0|0")
    held = [line for line in found if line.reason == "nightly_first"]
    assert held
    assert max(line.due for line in held if line.due) < ENROLLED + timedelta(days=15)
    assert found[0].reason is None, "service messages do not wait"
    paused = lines_of(ENROLLED, s2=nightly, u2="p", k2="0|0")
    assert not [line for line in paused if line.reason == "nightly_first"]


def test_a_step_without_any_channel_will_be_skipped_for_that() -> None:
    nobody = Profile("America/Los_Angeles", channels=frozenset())
    first = lines_of(due(1), profile=nobody)[0]
    assert (first.outcome, first.reason) == ("not_sent", "no_channel")
