"""Whether staff may write back, and when it may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendar import Profile, local_date, window_on
from service.inbox.answerable import AT_ONCE, AWAKE, MARGIN, RECENT, Standing, refusal, slot

ANA = Profile("America/Los_Angeles", "US", "OR")
NOON = datetime(2026, 3, 2, 20, tzinfo=UTC)
NIGHT = datetime(2026, 3, 3, 9, tzinfo=UTC)
"""One in the morning."""
LATELY, LONG_AGO = timedelta(minutes=5), timedelta(days=30)
AGES = st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=40)))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001 - made aware below
    lambda naive: naive.replace(tzinfo=UTC, microsecond=0)
)
ZONES = st.sampled_from(
    ["America/Los_Angeles", "America/New_York", "Europe/Madrid", "Australia/Lord_Howe"]
)


def standing(
    *reasons: str,
    consent: bool = True,
    since: timedelta | None = LATELY,
    urgent: timedelta | None = None,
) -> Standing:
    return Standing(reasons, consent, since, urgent)


def test_who_agreed_and_has_not_left_may_be_written_to_however_long_ago_they_wrote() -> None:
    assert refusal(standing(since=LONG_AGO)) is None


def test_who_never_agreed_is_answered_for_a_day() -> None:
    assert refusal(standing(consent=False)) is None
    assert refusal(standing(consent=False, since=RECENT + timedelta(seconds=1))) == "no_consent"
    assert refusal(standing(consent=False, since=None)) == "no_consent"


@pytest.mark.parametrize("reason", ["stop", "one_click", "staff", "invalid", "complaint"])
def test_who_has_left_is_not_written_to(reason: str) -> None:
    assert refusal(standing(reason)) == "suppressed"


def test_something_urgent_is_answered_for_a_day_by_whoever_left_of_their_own() -> None:
    assert refusal(standing("stop", urgent=LATELY)) is None
    assert refusal(standing("stop", urgent=RECENT + timedelta(seconds=1))) == "suppressed"


@pytest.mark.parametrize(
    "reason", ["staff", "invalid", "complaint", "wrong_number", "died", "provider_opt_out"]
)
def test_what_is_more_than_a_wish_of_theirs_stands_even_then(reason: str) -> None:
    assert refusal(standing("stop", reason, urgent=LATELY)) == "suppressed"


def test_in_the_daytime_it_goes_at_once() -> None:
    found = slot(ANA, "sms", NOON, LONG_AGO)
    assert (found.at, found.now) == (NOON, True)


def test_at_night_it_waits_for_the_morning_unless_they_are_awake() -> None:
    waits = slot(ANA, "sms", NIGHT, AWAKE + timedelta(seconds=1))
    assert (waits.at, waits.now) == (datetime(2026, 3, 3, 16, tzinfo=UTC), False)
    goes = slot(ANA, "sms", NIGHT, LATELY)
    assert (goes.at, goes.until, goes.now) == (NIGHT, NIGHT + AT_ONCE, True)


@given(
    ZONES,
    st.sampled_from(["sms", "email"]),
    INSTANTS,
    AGES,
)
def test_nothing_goes_at_night_but_to_who_is_awake(
    zone: str, channel: str, now: datetime, since: timedelta | None
) -> None:
    profile = Profile(zone)
    found = slot(profile, "sms" if channel == "sms" else "email", now, since)
    assert now <= found.at < found.until
    assert found.now == (found.at == now)
    if since is not None and since <= AWAKE:
        assert found.now
        return
    window = window_on(
        profile, "sms" if channel == "sms" else "email", local_date(profile, found.at)
    )
    assert window is not None
    assert window.opens <= found.at
    assert found.until + MARGIN <= window.closes
