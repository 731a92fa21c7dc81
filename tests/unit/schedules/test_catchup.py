"""What each policy does with the days that an outage, a pause or another series took."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.calendar import Profile
from schedules.policy import Defer, Send, Skip, Standing, decide
from schedules.reasons import Reason
from schedules.simulate import Enrolment, Interval, Sent, simulate
from schedules.steps import Series
from tests.unit.schedules.strategies import a_series, a_step, day, utc

NEW_YORK = Profile("America/New_York", state="NY", jitter_key="a patient")
ENROLLED = utc("2026-11-22 15:00")  # Sunday, 10:00 in New York: day 1 is Monday the 23rd
DAILY = a_series(*(a_step(number, "10:00") for number in range(1, 7)))


def told(series: Series, *outages: Interval) -> list[str]:
    """Tell a walk as "date hour:minute step" or "step reason", on the patient's clock."""
    lines = []
    for each in simulate(NEW_YORK, [Enrolment(series, day("2026-11-22"), ENROLLED)], outages):
        local = each.at.astimezone(ZoneInfo(NEW_YORK.timezone))
        if isinstance(each, Sent):
            lines.append(f"{local:%d %H:%M} {each.step.id}")
        else:
            lines.append(f"{each.step.id} {each.reason.value}")
    return lines


THREE_DAYS = (utc("2026-11-23 06:00"), utc("2026-11-25 18:00"))  # the 23rd, 24th; 25th till 13:00


def test_skip_lets_missed_days_go_and_sends_what_is_still_of_today() -> None:
    assert told(replace(DAILY, catch_up="skip"), THREE_DAYS) == [
        "day-1 missed",
        "day-2 missed",
        "25 13:00 day-3",
        "26 10:00 day-4",
        "27 10:00 day-5",
        "28 10:00 day-6",
    ]


def test_latest_sends_only_the_newest_of_the_missed_days() -> None:
    assert told(replace(DAILY, catch_up="latest"), THREE_DAYS) == [
        "day-1 superseded",
        "25 13:00 day-2",
        "26 10:00 day-3",
        "27 10:00 day-4",
        "28 10:00 day-5",
        "29 10:00 day-6",
    ]


def test_spread_sends_every_missed_day_one_a_day_at_its_own_time() -> None:
    assert told(DAILY, THREE_DAYS) == [
        "25 13:00 day-1",
        "26 10:00 day-2",
        "27 10:00 day-3",
        "28 10:00 day-4",
        "29 10:00 day-5",
        "30 10:00 day-6",
    ]


def test_a_spread_step_waits_for_its_time_of_day() -> None:
    mixed = a_series(a_step(1, "10:00"), a_step(2, "17:30", "email"), a_step(3, "12:00"))
    assert told(mixed, (utc("2026-11-23 06:00"), utc("2026-11-26 16:00"))) == [
        "26 11:00 day-1",
        "27 17:30 day-2",
        "28 12:00 day-3",
    ]


def test_a_late_step_decided_before_its_time_of_day_is_deferred_to_it() -> None:
    standing = Standing(DAILY, 0, NEW_YORK, day("2026-11-22"), ENROLLED)
    assert decide(standing, utc("2026-11-25 14:00")) == Defer(
        utc("2026-11-25 15:00"), Reason.CATCHING_UP
    )
    assert decide(standing, utc("2026-11-25 09:00")) == Defer(
        utc("2026-11-25 15:00"), Reason.QUIET_HOURS
    )


def test_spread_lets_go_of_what_expires_while_it_waits() -> None:
    brief = a_series(*(a_step(number, "10:00", expires_hours="60") for number in range(1, 7)))
    assert told(brief, (utc("2026-11-23 06:00"), utc("2026-11-26 18:00"))) == [
        "day-1 expired",
        "26 13:00 day-2",
        "27 10:00 day-3",
        "28 10:00 day-4",
        "29 10:00 day-5",
        "30 10:00 day-6",
    ]


def test_latest_does_not_give_way_to_a_newer_step_that_has_expired() -> None:
    steps = (a_step(1, "10:00"), a_step(2, "10:00", expires_hours="2"))
    outage = (utc("2026-11-23 06:00"), utc("2026-11-25 16:00"))
    assert told(a_series(*steps, catch_up="latest"), outage) == ["25 11:00 day-1", "day-2 expired"]


@pytest.mark.parametrize("policy", ["skip", "latest", "spread"])
def test_an_outage_of_six_hours_within_the_day_is_caught_up_that_day(policy: str) -> None:
    outage = (utc("2026-11-23 14:00"), utc("2026-11-23 20:00"))
    series = replace(a_series(a_step(1, "10:00"), a_step(2, "10:00"), catch_up=policy))
    assert told(series, outage) == ["23 15:00 day-1", "24 10:00 day-2"]


def test_a_stale_step_expires_in_an_outage_of_six_hours() -> None:
    brief = a_series(a_step(1, "10:00", expires_hours="2"), a_step(2, "10:00"))
    outage = (utc("2026-11-23 14:00"), utc("2026-11-23 20:00"))
    assert told(brief, outage) == ["day-1 expired", "24 10:00 day-2"]


@pytest.mark.parametrize("policy", ["skip", "latest", "spread"])
def test_no_outage_however_long_is_followed_by_two_drips_on_a_day(policy: str) -> None:
    series = a_series(*(a_step(number, "10:00") for number in range(1, 60)), catch_up=policy)
    lines = told(series, (utc("2026-11-24 06:00"), utc("2027-01-10 18:00")))
    dates = [line.split()[0] for line in lines if ":" in line]
    walked = list(
        simulate(
            NEW_YORK,
            [Enrolment(series, day("2026-11-22"), ENROLLED)],
            [(utc("2026-11-24 06:00"), utc("2027-01-10 18:00"))],
        )
    )
    sent_on = [each.at.date() for each in walked if isinstance(each, Sent)]
    assert len(dates) == len(sent_on) == len(set(sent_on))
    assert [each.index for each in walked] == list(range(59))


def test_a_day_that_another_series_took_is_not_a_missed_day() -> None:
    skipping = replace(DAILY, catch_up="skip")
    standing = Standing(skipping, 0, NEW_YORK, day("2026-11-22"), ENROLLED, (day("2026-11-23"),))
    assert isinstance(decide(standing, utc("2026-11-24 15:00")), Send)
    idle = replace(standing, recent_drips=())
    assert decide(idle, utc("2026-11-24 15:00")) == Skip(Reason.MISSED)


def test_series_that_skip_still_wait_their_turn_behind_each_other_for_days() -> None:
    enrolments = [
        Enrolment(
            a_series(a_step(1, "10:00"), catch_up="skip", name=name), day("2026-11-22"), ENROLLED
        )
        for name in ("first", "second", "third", "fourth")
    ]
    walked = list(simulate(NEW_YORK, enrolments))
    assert all(isinstance(each, Sent) for each in walked)
    assert [each.at.day for each in walked] == [23, 24, 25, 26]


def test_a_patient_who_joins_after_the_days_window_has_missed_that_days_step() -> None:
    today = a_series(a_step(0, "10:00"), a_step(1, "10:00"), catch_up="skip")
    late = utc("2026-11-23 03:00")
    standing = Standing(today, 0, NEW_YORK, day("2026-11-22"), late)
    assert decide(standing, late) == Skip(Reason.MISSED)
    spread = replace(standing, series=replace(today, catch_up="spread"))
    assert decide(spread, late) == Defer(utc("2026-11-23 15:00"), Reason.QUIET_HOURS)


def test_a_clock_that_jumps_three_days_ahead_and_back_sends_nothing_twice_and_no_burst() -> None:
    standing = Standing(DAILY, 0, NEW_YORK, day("2026-11-22"), ENROLLED)
    right, wrong = utc("2026-11-23 15:00"), utc("2026-11-26 15:00")
    assert isinstance(decide(standing, wrong), Send)  # day-1, dated the 26th
    following = replace(standing, index=1, recent_drips=(day("2026-11-26"),))
    assert isinstance(decide(following, wrong), Defer)
    assert decide(following, right) == Defer(utc("2026-11-24 15:00"), Reason.NOT_DUE)
    assert decide(following, utc("2026-11-24 15:00")) == Defer(
        utc("2026-11-27 15:00"), Reason.DAILY_CAP
    )


def test_one_pause_holds_one_subscription_and_not_the_other() -> None:
    pause = ((utc("2026-11-23 06:00"), utc("2026-11-25 06:00")),)
    mine = Enrolment(replace(DAILY, name="mine"), day("2026-11-22"), ENROLLED, pause)
    other = Enrolment(a_series(a_step(1, "12:00"), name="other"), day("2026-11-22"), ENROLLED)
    walked = list(simulate(NEW_YORK, [mine, other]))
    first = walked[0]
    assert (first.series, first.at) == ("other", datetime(2026, 11, 23, 17, tzinfo=UTC))
    assert walked[1].at - first.at > timedelta(days=1)
