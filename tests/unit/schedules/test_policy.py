"""What becomes of a due step: sent, deferred or skipped, and for which reason."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from schedules.calendar import Profile
from schedules.errors import ScheduleError
from schedules.plan import Nights
from schedules.policy import Defer, Send, Skip, Standing, decide
from schedules.reasons import Reason
from tests.unit.schedules.strategies import a_series, a_step, day, utc

# Enrolled on the 22nd, so that day 1 is Monday the 23rd; 10:00 in New York is 15:00 UTC.
NEW_YORK = Profile("America/New_York", state="NY", jitter_key="a patient")
TIPS = a_series(
    a_step(0, "enrolment", kind="service", id="welcome"),
    a_step(1, "10:00"),
    a_step(2, "17:30", "email"),
    a_step(3, "20:00"),
    a_step(4, "10:00"),
)
AT = Standing(TIPS, 1, NEW_YORK, day("2026-11-22"), utc("2026-11-22 15:00"))
TEN = utc("2026-11-23 15:00")
CLOSES = utc("2026-11-24 02:00")


def test_a_due_step_is_sent() -> None:
    assert decide(AT, TEN) == Send(1, "sms", 4 * 3600, CLOSES, TEN)


def test_a_step_that_is_not_due_waits_for_its_time() -> None:
    assert decide(AT, TEN - timedelta(seconds=1)) == Defer(TEN, Reason.NOT_DUE)


@pytest.mark.parametrize(
    ("now", "validity_s"),
    [
        ("2026-11-23 15:00:00", 14_400),
        ("2026-11-23 21:58:59", 14_400),
        ("2026-11-23 22:00:00", 14_400 - 61),
        ("2026-11-24 01:00:00", 3600 - 61),
        ("2026-11-24 01:53:59", 300),
    ],
)
def test_a_provider_may_try_for_four_hours_or_until_a_minute_before_the_window_ends(
    now: str, validity_s: int
) -> None:
    assert decide(AT, utc(now)) == Send(1, "sms", validity_s, CLOSES, TEN)


def test_a_text_that_could_not_be_delivered_in_time_waits_for_the_morning() -> None:
    evening = replace(AT, index=3, recent_drips=(day("2026-11-24"),))
    assert decide(evening, utc("2026-11-26 01:54")) == Defer(
        utc("2026-11-27 01:00"), Reason.QUIET_HOURS
    )


def test_email_has_no_validity_but_keeps_to_its_window() -> None:
    mail = replace(AT, index=2)
    due, closes = utc("2026-11-24 22:30"), utc("2026-11-25 03:00")
    assert decide(mail, due) == Send(2, "email", None, closes, due)
    assert decide(mail, utc("2026-11-25 02:59")) == Send(2, "email", None, closes, due)
    assert decide(mail, closes) == Defer(utc("2026-11-25 22:30"), Reason.QUIET_HOURS)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"sms", "email"}, "sms"),
        ({"sms"}, "sms"),
        ({"email"}, "email"),
    ],
)
def test_a_step_goes_by_its_channel_or_else_by_the_other(channels: set[str], expected: str) -> None:
    decision = decide(replace(AT, profile=replace(NEW_YORK, channels=frozenset(channels))), TEN)
    assert isinstance(decision, Send)
    assert decision.channel == expected


def test_a_patient_with_no_channel_left_is_skipped() -> None:
    nobody = replace(NEW_YORK, channels=frozenset())
    assert decide(replace(AT, profile=nobody), TEN) == Skip(Reason.NO_CHANNEL)


def test_a_second_drip_of_the_day_waits_for_its_time_tomorrow() -> None:
    after_another = replace(AT, recent_drips=(day("2026-11-23"),))
    assert decide(after_another, TEN) == Defer(utc("2026-11-24 15:00"), Reason.DAILY_CAP)
    tomorrow = decide(after_another, utc("2026-11-24 15:00"))
    assert isinstance(tomorrow, Send)


def test_a_drip_dated_ahead_by_a_move_or_a_wrong_clock_counts_until_its_day_is_over() -> None:
    ahead = replace(AT, recent_drips=(day("2026-11-25"),))
    assert decide(ahead, TEN) == Defer(utc("2026-11-26 15:00"), Reason.DAILY_CAP)


def test_seven_drips_in_seven_days_are_the_most() -> None:
    week = tuple(day("2026-11-22") - timedelta(days=ago) for ago in (0, 1, 1, 2, 3, 4, 5))
    assert decide(replace(AT, recent_drips=week), TEN) == Defer(
        utc("2026-11-24 15:00"), Reason.WEEKLY_CAP
    )
    assert isinstance(decide(replace(AT, recent_drips=week[1:]), TEN), Send)


def test_a_service_message_minds_neither_caps_nor_nights_but_keeps_to_the_window() -> None:
    welcome = replace(
        AT,
        index=0,
        recent_drips=(day("2026-11-22"),) * 7,
        nights=(Nights(day("2026-11-20"), day("2026-12-20")),),
    )
    assert isinstance(decide(welcome, utc("2026-11-22 15:00")), Send)
    assert decide(welcome, utc("2026-11-23 03:00")) == Defer(
        utc("2026-11-23 13:00"), Reason.QUIET_HOURS
    )


def test_a_service_message_outlives_an_outage_of_days_whatever_the_policy() -> None:
    skipping = replace(AT, index=0, series=replace(TIPS, catch_up="skip"))
    assert isinstance(decide(skipping, utc("2026-11-26 18:00")), Send)


@pytest.mark.parametrize("expires_hours", ["20", "24"])
def test_a_step_that_would_be_stale_by_the_next_free_day_is_skipped_at_once(
    expires_hours: str,
) -> None:
    short = a_series(a_step(1, "10:00", expires_hours=expires_hours))
    standing = replace(AT, series=short, index=0, recent_drips=(day("2026-11-23"),))
    assert decide(standing, TEN) == Skip(Reason.CROWDED_OUT)


def test_a_step_that_would_be_stale_by_the_next_opening_is_skipped_at_once() -> None:
    short = a_series(a_step(1, "20:00", "email", expires_hours="4"))
    standing = replace(AT, series=short, index=0)
    assert isinstance(decide(standing, utc("2026-11-24 02:00")), Send)
    assert decide(standing, utc("2026-11-24 03:30")) == Skip(Reason.EXPIRED)


def test_a_step_is_skipped_once_it_has_expired() -> None:
    short = a_series(a_step(1, "10:00", expires_hours="2"))
    standing = replace(AT, series=short, index=0)
    assert isinstance(decide(standing, utc("2026-11-23 16:59")), Send)
    assert decide(standing, utc("2026-11-23 17:00")) == Skip(Reason.EXPIRED)


def test_other_series_wait_for_a_nightly_one_and_stay_valid() -> None:
    nights = (Nights(day("2026-11-20"), day("2026-12-05")),)
    brief = a_series(a_step(1, "10:00", expires_hours="3"), catch_up="skip")
    waiting = replace(AT, series=brief, index=0, nights=nights)
    now: datetime = TEN
    while isinstance(decision := decide(waiting, now), Defer):
        assert decision.reason is Reason.NIGHTLY_FIRST
        now = decision.until
    assert isinstance(decision, Send)
    assert now == utc("2026-12-06 15:00")


def test_a_nightly_series_does_not_wait_for_itself() -> None:
    nightly = a_series(a_step(1, "20:00"), nightly=True)
    nights = (Nights(day("2026-11-20"), day("2026-12-05")),)
    standing = replace(AT, series=nightly, index=0, nights=nights)
    assert isinstance(decide(standing, utc("2026-11-24 01:00")), Send)


def test_a_deferral_never_looks_past_the_next_open_day_so_that_changes_are_noticed() -> None:
    waiting = replace(AT, nights=(Nights(day("2026-11-20"), day("2026-12-05")),))
    assert decide(waiting, TEN) == Defer(utc("2026-11-24 15:00"), Reason.NIGHTLY_FIRST)
    assert isinstance(decide(replace(waiting, nights=()), utc("2026-11-24 15:00")), Send)


def test_a_patient_who_moves_west_gets_the_next_step_on_the_new_clock_and_no_repeat() -> None:
    moved = replace(AT, profile=replace(NEW_YORK, timezone="Pacific/Honolulu", state="HI"))
    standing = replace(moved, index=4, recent_drips=(day("2026-11-25"),))
    assert decide(standing, utc("2026-11-26 15:00")) == Defer(
        utc("2026-11-26 20:00"), Reason.NOT_DUE
    )


def test_a_complete_subscription_has_nothing_to_decide() -> None:
    with pytest.raises(ScheduleError, match="complete"):
        decide(replace(AT, index=5), TEN)
