"""Zones, gaps, folds, windows, and the hour of a bedtime reminder."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Instant, PlainDateTime, RepeatedTime, SkippedTime

from schedules.calendar import (
    Profile,
    local_date,
    next_opening,
    resolve,
    time_on,
    window_at,
    window_on,
)
from schedules.errors import ProfileError
from schedules.steps import At
from tests.unit.schedules.strategies import day, locals_near_a_change, utc, zoned_instants

NEW_YORK = Profile("America/New_York", state="NY", jitter_key="a patient")


@pytest.mark.parametrize(
    ("zone", "local", "first", "last"),
    [
        ("America/New_York", "2026-03-08 01:59", "2026-03-08 06:59", "2026-03-08 06:59"),
        ("America/New_York", "2026-03-08 02:00", "2026-03-08 07:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-03-08 03:00", "2026-03-08 07:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30"),
        ("America/New_York", "2026-11-01 02:00", "2026-11-01 07:00", "2026-11-01 07:00"),
        ("America/Havana", "2026-03-08 00:30", "2026-03-08 05:00", "2026-03-08 05:00"),
        ("America/Havana", "2026-11-01 00:30", "2026-11-01 04:30", "2026-11-01 05:30"),
        ("Asia/Beirut", "2026-03-29 00:30", "2026-03-28 22:00", "2026-03-28 22:00"),
        ("America/Santiago", "2026-09-06 00:30", "2026-09-06 04:00", "2026-09-06 04:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", "2026-04-04 15:15"),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-30 10:00"),
        ("Asia/Kathmandu", "2026-06-01 10:00", "2026-06-01 04:15", "2026-06-01 04:15"),
    ],
)
def test_a_local_time_is_one_instant_even_in_a_gap_or_a_fold(
    zone: str, local: str, first: str, last: str
) -> None:
    wanted = datetime.fromisoformat(local)
    assert resolve(wanted, ZoneInfo(zone)) == utc(first)
    assert resolve(wanted, ZoneInfo(zone), last=True) == utc(last)


@settings(max_examples=400, deadline=None)
@given(locals_near_a_change())
def test_whenever_agrees_on_the_instant_of_any_local_time(drawn: tuple[str, datetime]) -> None:
    zone, local = drawn
    plain = PlainDateTime(
        local.year, local.month, local.day, local.hour, local.minute, local.second
    )
    found = resolve(local, ZoneInfo(zone))
    ours = Instant.from_timestamp(found.timestamp())
    try:
        expected = plain.assume_tz(zone, disambiguation="raise").to_instant()
    except RepeatedTime:
        assert ours == plain.assume_tz(zone, disambiguation="earlier").to_instant()
        again = Instant.from_timestamp(resolve(local, ZoneInfo(zone), last=True).timestamp())
        assert again == plain.assume_tz(zone, disambiguation="later").to_instant()
    except SkippedTime:
        # The clock jumps over the time exactly there: behind it a second before, past it then.
        a_second_before = Instant.from_timestamp(found.timestamp() - 1)
        assert a_second_before.to_tz(zone).to_plain() < plain < ours.to_tz(zone).to_plain()
    else:
        assert ours == expected


@settings(max_examples=200, deadline=None)
@given(locals_near_a_change(), st.integers(0, 48 * 60))
def test_a_later_local_time_is_never_an_earlier_instant(
    drawn: tuple[str, datetime], minutes: int
) -> None:
    zone, local = ZoneInfo(drawn[0]), drawn[1]
    later = local + timedelta(minutes=minutes)
    assert resolve(local, zone) <= resolve(later, zone, last=True)
    if resolve(later, zone) == resolve(later, zone, last=True):
        assert resolve(local, zone) <= resolve(later, zone)


@pytest.mark.parametrize(
    ("country", "state", "on", "opens", "closes"),
    [
        ("US", "NY", "2026-11-23", "08:00", "21:00"),
        ("US", "OR", "2026-11-23", "08:00", "21:00"),
        ("US", "FL", "2026-11-23", "08:00", "20:00"),
        ("US", "OK", "2026-11-23", "08:00", "20:00"),
        ("US", "MD", "2026-11-23", "08:00", "20:00"),
        ("US", "MS", "2026-11-23", "08:00", "20:00"),
        ("US", "NJ", "2026-11-23", "08:00", "20:00"),
        ("US", "CT", "2026-11-23", "09:00", "20:00"),
        ("US", "KY", "2026-11-23", "10:00", "21:00"),
        ("US", "RI", "2026-11-23", "10:00", "17:00"),
        ("US", "TX", "2026-11-21", "08:00", "21:00"),
        ("US", "TX", "2026-11-22", "12:00", "21:00"),
        ("US", None, "2026-11-23", "10:00", "20:00"),
        ("US", "ZZ", "2026-11-23", "10:00", "20:00"),
        ("CA", "ON", "2026-11-23", "09:00", "20:00"),
        ("NZ", None, "2026-11-23", "08:00", "21:00"),
    ],
)
def test_texts_keep_to_the_hours_of_the_patients_place(
    country: str, state: str | None, on: str, opens: str, closes: str
) -> None:
    profile = Profile("America/New_York", country=country, state=state)
    window = window_on(profile, "sms", day(on))
    assert window is not None
    zone = ZoneInfo("America/New_York")
    assert f"{window.opens.astimezone(zone):%H:%M}" == opens
    assert f"{window.closes.astimezone(zone):%H:%M}" == closes


def test_email_has_hours_of_its_own_wherever_the_patient_lives() -> None:
    window = window_on(Profile("America/New_York", state="RI"), "email", day("2026-11-23"))
    assert window is not None
    assert (window.opens, window.closes) == (utc("2026-11-23 11:00"), utc("2026-11-24 03:00"))


@pytest.mark.parametrize(
    ("zone", "missing"),
    [
        ("Pacific/Apia", "2011-12-30"),
        ("Pacific/Fakaofo", "2011-12-30"),
        ("Pacific/Kwajalein", "1993-08-21"),
    ],
)
def test_a_date_that_the_zone_leaves_out_has_no_window(zone: str, missing: str) -> None:
    profile = Profile(zone, country="WS")
    assert window_on(profile, "sms", day(missing)) is None
    for neighbour in (-1, 1):
        assert window_on(profile, "sms", day(missing) + timedelta(days=neighbour)) is not None


@pytest.mark.parametrize(
    ("after", "opening"),
    [
        ("2026-11-23 12:59", "2026-11-23 13:00"),
        ("2026-11-23 15:00", "2026-11-23 15:00"),
        ("2026-11-24 01:53", "2026-11-24 01:53"),
        ("2026-11-24 01:54", "2026-11-24 13:00"),  # under six minutes are left
        ("2026-11-24 02:00", "2026-11-24 13:00"),
        ("2026-03-08 04:00", "2026-03-08 12:00"),  # the clocks go forward that night
        ("2026-11-01 03:00", "2026-11-01 13:00"),  # and back that one
    ],
)
def test_the_next_opening_is_now_or_when_the_window_opens_again(after: str, opening: str) -> None:
    assert next_opening(NEW_YORK, "sms", utc(after)) == utc(opening)


@settings(max_examples=200, deadline=None)
@given(zoned_instants, st.sampled_from(["sms", "email"]))
def test_every_instant_of_every_zone_has_a_next_opening_within_two_days(
    drawn: tuple[str, datetime], channel: str
) -> None:
    profile = Profile(drawn[0], country="NZ")
    for each in ("sms", "email"):
        if each == channel:
            opening = next_opening(profile, each, drawn[1])
            assert timedelta(0) <= opening - drawn[1] <= timedelta(days=2)
            assert window_at(profile, each, opening) is not None


@pytest.mark.parametrize(
    ("bedtime", "at", "local"),
    [
        ("20:30", "bedtime", "20:30"),
        ("20:30", "bedtime-45", "19:45"),
        ("20:50", "bedtime", "20:50"),
        ("21:15", "bedtime-30", "20:45"),
        ("13:00", "bedtime", "13:00"),
    ],
)
def test_a_bedtime_inside_the_window_is_kept_to_the_minute(
    bedtime: str, at: str, local: str
) -> None:
    profile = Profile("America/New_York", state="NY", bedtime=time.fromisoformat(bedtime))
    due = time_on(profile, "sms", At.parse(at), day("2026-11-23"))
    assert due is not None
    assert f"{due.astimezone(ZoneInfo('America/New_York')):%m-%d %H:%M}" == f"11-23 {local}"


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        ["20:51", "21:00", "22:30", "23:59", "00:00", "01:30", "05:59", "06:00", "07:59"]
    ),
    st.sampled_from([("NY", 20), ("FL", 19), ("RI", 16), (None, 19)]),
    st.text(max_size=8),
)
def test_a_bedtime_outside_the_window_moves_to_a_stable_minute_of_that_evening(
    bedtime: str, place: tuple[str | None, int], key: str
) -> None:
    profile = Profile(
        "America/New_York", state=place[0], bedtime=time.fromisoformat(bedtime), jitter_key=key
    )
    moved = [
        time_on(profile, "sms", At.parse("bedtime"), on)
        for on in (day("2026-11-23"), day("2026-11-24"))
    ]
    local = [each.astimezone(ZoneInfo("America/New_York")) for each in moved if each]
    assert [each.date() for each in local] == [day("2026-11-23"), day("2026-11-24")]
    assert all((each.hour, each.minute // 30) == (place[1], 0) for each in local)
    assert local[0].time() == local[1].time()


def test_patients_with_a_late_bedtime_are_spread_over_the_half_hour() -> None:
    minutes = set()
    for number in range(300):
        profile = Profile("America/New_York", state="NY", jitter_key=f"patient {number}")
        due = time_on(profile, "sms", At.parse("bedtime"), day("2026-11-23"))
        assert due is not None
        minutes.add(due.minute)
    assert minutes == set(range(30))


def test_the_stable_minute_is_the_same_in_every_process_and_release() -> None:
    due = time_on(NEW_YORK, "sms", At.parse("bedtime"), day("2026-11-23"))
    assert due == utc("2026-11-24 01:17")


@pytest.mark.parametrize(
    ("at", "state", "local"),
    [("07:00", "NY", "08:00"), ("10:00", "KY", "10:00"), ("08:30", "KY", "10:00")],
)
def test_a_clock_time_before_the_window_moves_to_its_opening(
    at: str, state: str, local: str
) -> None:
    profile = Profile("America/New_York", state=state)
    due = time_on(profile, "sms", At.parse(at), day("2026-11-23"))
    assert due is not None
    assert f"{due.astimezone(ZoneInfo('America/New_York')):%H:%M}" == local


def test_the_local_date_is_the_patients_not_the_servers() -> None:
    assert local_date(Profile("Pacific/Auckland"), utc("2026-11-23 12:00")) == date(2026, 11, 24)
    assert local_date(NEW_YORK, utc("2026-11-24 04:59")) == date(2026, 11, 23)
    assert local_date(NEW_YORK, datetime(2026, 11, 24, 5, tzinfo=UTC)) == date(2026, 11, 24)


@pytest.mark.parametrize("zone", ["", "America", "America/Gotham", "../etc/passwd", "EST5\0"])
def test_a_zone_that_is_none_is_refused_with_what_to_give(zone: str) -> None:
    with pytest.raises(ProfileError, match="IANA name such as America/New_York"):
        Profile(zone)


@pytest.mark.parametrize(
    ("country", "state"), [("us", None), ("United States", None), ("US", "ny"), ("US", "")]
)
def test_a_country_or_state_that_is_not_a_code_is_refused(country: str, state: str | None) -> None:
    with pytest.raises(ProfileError, match="code"):
        Profile("America/New_York", country=country, state=state)


def test_a_channel_we_do_not_have_is_refused() -> None:
    with pytest.raises(ProfileError, match="fax"):
        Profile("America/New_York", channels=frozenset({"fax"}))
