"""When the steps of a subscription are due."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.calendar import Profile, next_opening
from schedules.errors import ScheduleError
from schedules.plan import Nights, next_due, nights_of, plan, plan_step
from schedules.series import load_series
from tests.unit.schedules.strategies import a_series, a_step, day, utc, zoned_instants

NEW_YORK = Profile("America/New_York", state="NY", jitter_key="a patient")
TIPS = a_series(
    a_step(0, "enrolment", kind="service", id="welcome"),
    a_step(1, "10:00"),
    a_step(3, "17:30", "email"),
)


@pytest.mark.parametrize(
    ("enrolled_at", "due"),
    [
        ("2026-11-23 10:00", "2026-11-23 13:00"),  # before dawn: when the window opens
        ("2026-11-23 19:00", "2026-11-23 19:00"),  # in the afternoon: at once
        ("2026-11-24 01:58", "2026-11-24 13:00"),  # two minutes before the end: in the morning
        ("2026-11-24 03:00", "2026-11-24 13:00"),  # at night: in the morning
    ],
)
def test_the_welcome_is_due_when_the_patient_joins_or_the_window_next_opens(
    enrolled_at: str, due: str
) -> None:
    found = plan_step(TIPS, 0, NEW_YORK, day("2026-11-01"), utc(enrolled_at))
    assert found.due == utc(due)


def test_days_count_from_the_start_or_from_a_later_enrolment() -> None:
    early, late = utc("2026-11-20 19:00"), utc("2026-11-26 19:00")
    start = day("2026-11-23")
    assert plan_step(TIPS, 0, NEW_YORK, start, early).due == utc("2026-11-23 13:00")
    assert plan_step(TIPS, 1, NEW_YORK, start, early).due == utc("2026-11-24 15:00")
    assert plan_step(TIPS, 1, NEW_YORK, start, late).due == utc("2026-11-27 15:00")


def test_the_enrolments_date_is_the_patients_own() -> None:
    evening = utc("2026-11-24 03:00")  # still the 23rd in New York
    assert plan_step(TIPS, 1, NEW_YORK, day("2026-11-01"), evening).local.day == 24


def test_a_step_whose_time_lies_before_the_enrolment_is_due_at_the_enrolment() -> None:
    today = a_series(a_step(0, "10:00"))
    afternoon, night = utc("2026-11-23 19:00"), utc("2026-11-24 03:00")
    assert plan_step(today, 0, NEW_YORK, day("2026-11-23"), afternoon).due == afternoon
    assert plan_step(today, 0, NEW_YORK, day("2026-11-23"), night).due == night


def test_a_step_keeps_its_local_time_when_the_clocks_change() -> None:
    daily = a_series(*(a_step(number, "10:00") for number in range(3)))
    enrolled_at = utc("2026-03-07 06:00")
    assert [each.due for each in plan(daily, NEW_YORK, day("2026-03-07"), enrolled_at)] == [
        utc("2026-03-07 15:00"),
        utc("2026-03-08 14:00"),
        utc("2026-03-09 14:00"),
    ]


def test_a_bedtime_after_midnight_belongs_to_the_evening_before() -> None:
    owl = replace(NEW_YORK, bedtime=time(0, 30))
    nightly = a_series(a_step(1, "bedtime-240"))
    found = plan_step(nightly, 0, owl, day("2026-11-23"), utc("2026-11-23 15:00"))
    assert f"{found.local:%m-%d %H:%M}" == "11-24 20:30"


def test_a_step_on_a_date_that_the_zone_leaves_out_moves_to_the_next_date() -> None:
    apia = Profile("Pacific/Apia", country="WS")
    daily = a_series(*(a_step(number, "10:00") for number in range(1, 4)))
    planned = plan(daily, apia, day("2011-12-28"), utc("2011-12-28 20:00"))
    assert [each.local.date() for each in planned] == [
        day("2011-12-29"),
        day("2011-12-31"),
        day("2011-12-31"),
    ]


def test_a_step_is_planned_for_the_channel_the_patient_can_be_reached_by() -> None:
    only_mail = replace(NEW_YORK, channels=frozenset({"email"}))
    nobody = replace(NEW_YORK, channels=frozenset())
    start, enrolled_at = day("2026-11-23"), utc("2026-11-23 15:00")
    assert plan_step(TIPS, 1, NEW_YORK, start, enrolled_at).channel == "sms"
    assert plan_step(TIPS, 1, only_mail, start, enrolled_at).channel == "email"
    assert plan_step(TIPS, 1, nobody, start, enrolled_at).channel == "sms"


def test_a_complete_series_has_no_next_step() -> None:
    start, enrolled_at = day("2026-11-23"), utc("2026-11-23 15:00")
    assert next_due(TIPS, 2, NEW_YORK, start, enrolled_at) == utc("2026-11-26 22:30")
    assert next_due(TIPS, 3, NEW_YORK, start, enrolled_at) is None
    for index in (-1, 3):
        with pytest.raises(ScheduleError, match="has no step"):
            plan_step(TIPS, index, NEW_YORK, start, enrolled_at)


def test_the_nights_of_a_nightly_series_are_its_drip_dates_and_others_have_none() -> None:
    start, enrolled_at = day("2026-11-23"), utc("2026-11-23 15:00")
    sleep = load_series("sleep-hygiene", 1)
    assert nights_of(sleep, NEW_YORK, start, enrolled_at) == Nights(
        day("2026-11-24"), day("2026-12-07")
    )
    assert nights_of(TIPS, NEW_YORK, start, enrolled_at) is None


@settings(max_examples=150, deadline=None)
@given(zoned_instants, st.integers(-400, 400), st.sampled_from(["restless-legs", "sleep-hygiene"]))
def test_the_packaged_series_can_be_planned_for_any_zone_and_enrolment(
    drawn: tuple[str, datetime], shift: int, name: str
) -> None:
    zone, enrolled_at = drawn
    profile = Profile(zone, country="NZ", jitter_key="a patient")
    start = enrolled_at.date() + timedelta(days=shift)
    planned = plan(load_series(name, 1), profile, start, enrolled_at)
    dates = [each.local.date() for each in planned]
    assert dates == sorted(dates)
    for each in planned:
        assert next_opening(profile, each.channel, each.due) == each.due
        assert each.due == each.local
        assert each.expires == each.due + each.step.expires_after
