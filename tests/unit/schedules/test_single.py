"""One message by hand: never outside the window, never more than one a day and seven a week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schedules.calendar import VALIDITY_MARGIN, Profile, local_date, window_on
from schedules.plan import Nights
from schedules.policy import DRIPS_A_WEEK
from schedules.reasons import Reason
from schedules.single import Later, Now, single
from schedules.steps import CHANNELS, Channel

VALIDITY = timedelta(minutes=15)
INSTANTS = st.integers(0, 365 * 1440).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
PROFILES = st.builds(
    Profile,
    timezone=st.sampled_from(["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"]),
    state=st.sampled_from([None, "FL", "TX", "CT", "RI"]),
    channels=st.sampled_from([frozenset(CHANNELS), frozenset({"sms"}), frozenset[str]()]),
)
DAYS = st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=10)


@given(
    profile=PROFILES,
    channel=st.sampled_from(CHANNELS),
    now=INSTANTS,
    recent=DAYS,
    near=st.booleans(),
)
def test_it_goes_only_where_it_may_and_else_is_told_when(
    profile: Profile, channel: Channel, now: datetime, recent: list[date], *, near: bool
) -> None:
    today = local_date(profile, now)
    if near:
        recent = [today - timedelta(days=each.day % 9 - 1) for each in recent]
    answer = single(profile, channel, now, validity=VALIDITY, recent_drips=recent)
    if isinstance(answer, Now):
        window = window_on(profile, channel, answer.day)
        assert window is not None
        assert window.opens <= now < answer.until
        assert answer.day == today
        if channel == "sms":
            assert answer.until + VALIDITY + VALIDITY_MARGIN < window.closes
        assert not any(day >= today for day in recent)
        assert sum(day > today - timedelta(days=7) for day in recent) < DRIPS_A_WEEK
        return
    assert isinstance(answer, Later)
    if channel not in profile.channels:
        assert answer == Later(Reason.NO_CHANNEL, None)
    elif answer.at is not None:
        assert answer.at > now
        assert isinstance(
            single(profile, channel, answer.at, validity=VALIDITY, recent_drips=recent), Now
        )


def test_a_nightly_series_has_its_dates_for_itself() -> None:
    profile = Profile("America/New_York", state="OR")
    nights = [Nights(date(2026, 3, 2), date(2026, 3, 9))]
    noon = datetime(2026, 3, 3, 17, tzinfo=UTC)
    answer = single(profile, "sms", noon, validity=VALIDITY, nights=nights)
    assert answer == Later(Reason.NIGHTLY_FIRST, datetime(2026, 3, 10, 12, tzinfo=UTC))
