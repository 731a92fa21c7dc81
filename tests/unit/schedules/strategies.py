"""What Hypothesis draws from: any zone, any year, any patient, any series, any outage."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from schedules.calendar import Profile
from schedules.simulate import Enrolment, Interval
from schedules.steps import CATCH_UPS, CHANNELS, At, Series, Step

ZONES = sorted(available_timezones())
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 12, 31, tzinfo=UTC)
SECONDS = int((LAST - FIRST).total_seconds())

# Skipped dates, gaps and folds at midnight, half hours: just before each.
ODD = [
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)),
    ("Pacific/Fakaofo", datetime(2011, 12, 28, tzinfo=UTC)),
    ("Pacific/Kwajalein", datetime(1993, 8, 18, tzinfo=UTC)),
    ("Pacific/Kiritimati", datetime(1994, 12, 29, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 6, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 30, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2026, 3, 27, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 4, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(1985, 12, 30, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 9, 25, tzinfo=UTC)),
    ("Africa/Monrovia", datetime(1972, 1, 5, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 3, 27, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 30, tzinfo=UTC)),
]

# The hours by place, written here again: Monday, and Sunday where it differs.
SMS_HOURS = {
    ("US", None): ((10, 20), (10, 20)),
    ("US", "NY"): ((8, 21), (8, 21)),
    ("US", "FL"): ((8, 20), (8, 20)),
    ("US", "CT"): ((9, 20), (9, 20)),
    ("US", "KY"): ((10, 21), (10, 21)),
    ("US", "RI"): ((10, 17), (10, 17)),
    ("US", "TX"): ((8, 21), (12, 21)),
    ("NZ", None): ((8, 21), (8, 21)),
}
EMAIL_HOURS = (6, 22)

instants = st.integers(0, SECONDS).map(lambda seconds: FIRST + timedelta(seconds=seconds))
zoned_instants = st.one_of(
    st.tuples(st.sampled_from(ZONES), instants),
    st.tuples(st.sampled_from(ODD), st.integers(0, 4 * 86_400)).map(
        lambda drawn: (drawn[0][0], drawn[0][1] + timedelta(seconds=drawn[1]))
    ),
)


@st.composite
def locals_near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone, and a naive local time; often within hours of a change of its offset."""
    name, instant = draw(zoned_instants)
    zone = ZoneInfo(name)
    day = instant
    for _ in range(draw(st.sampled_from([0, 370]))):
        if day.astimezone(zone).utcoffset() != instant.astimezone(zone).utcoffset():
            break
        day += timedelta(days=1)
    local = day.astimezone(zone).replace(tzinfo=None, second=0, fold=0)
    return name, local + timedelta(minutes=draw(st.integers(-36 * 60, 36 * 60)))


@st.composite
def profiles(draw: st.DrawFn, zone: str) -> Profile:
    country, state = draw(st.sampled_from(list(SMS_HOURS)))
    return Profile(
        timezone=zone,
        country=country,
        state=state,
        bedtime=time(draw(st.integers(0, 23)), draw(st.integers(0, 59))),
        channels=draw(
            st.sampled_from([frozenset(CHANNELS), frozenset({"sms"}), frozenset({"email"})])
        ),
        jitter_key=draw(st.text("abcdef", max_size=3)),
    )


times_of_day = st.one_of(
    st.builds(
        lambda hour, minute: At("clock", time(hour, minute)), st.integers(0, 23), st.integers(0, 59)
    ),
    st.builds(lambda minus: At("bedtime", minus_minutes=minus), st.integers(0, 180)),
)


@st.composite
def series(draw: st.DrawFn, name: str, *, nightly: bool, first_day: int = 0) -> Series:
    """Draw a series such as lint allows: welcome first, then one step a day at most."""
    count = draw(st.integers(1, 10))
    gaps = (
        [1] * count
        if nightly
        else draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    )
    day = first_day - 1 + draw(st.integers(0, 2))
    steps = [Step("welcome", "welcome", 0, At("enrolment"), "sms", timedelta(days=7), "service")]
    for number, gap in enumerate(gaps):
        day += gap if number else 1
        steps.append(
            Step(
                f"step-{number}",
                f"step-{number}",
                day,
                draw(times_of_day),
                draw(st.sampled_from(CHANNELS)),
                timedelta(hours=draw(st.sampled_from([2, 23, 60, 24 * 21]))),
                "service" if not nightly and draw(st.integers(0, 9)) == 0 else "drip",
            )
        )
    policy = draw(st.sampled_from(CATCH_UPS))
    return Series(name, 1, "A title", "about 4 messages a week", nightly, policy, tuple(steps))


@st.composite
def outages(draw: st.DrawFn, after: datetime) -> tuple[Interval, ...]:
    spans = draw(
        st.lists(st.tuples(st.integers(0, 40 * 24 * 60), st.integers(1, 20 * 24 * 60)), max_size=3)
    )
    return tuple(
        (after + timedelta(minutes=begin), after + timedelta(minutes=begin + length))
        for begin, length in spans
    )


@st.composite
def patients(draw: st.DrawFn) -> tuple[Profile, tuple[Enrolment, ...], tuple[Interval, ...]]:
    """Draw a patient, one to three subscriptions (perhaps a nightly one), and some outages."""
    zone, first = draw(zoned_instants)
    profile = draw(profiles(zone))
    enrolments = []
    for number in range(draw(st.integers(1, 3))):
        enrolled_at = first + timedelta(hours=draw(st.integers(0, 24 * 5)))
        start = enrolled_at.date() + timedelta(days=draw(st.integers(-3, 5)))
        nightly = number == 0 and draw(st.booleans())
        pauses = draw(outages(enrolled_at)) if draw(st.integers(0, 3)) == 0 else ()
        enrolments.append(
            Enrolment(draw(series(f"series-{number}", nightly=nightly)), start, enrolled_at, pauses)
        )
    return profile, tuple(enrolments), draw(outages(first))


def a_series(
    *steps: Step, catch_up: str = "spread", nightly: bool = False, name: str = "tips"
) -> Series:
    """Build a series by hand for a table test."""
    policy = next(each for each in CATCH_UPS if each == catch_up)
    return Series(name, 1, "Tips", "about 4 messages a week for 1 week", nightly, policy, steps)


def a_step(day: int, at: str = "10:00", channel: str = "sms", **other: str) -> Step:
    """Build a drip step by hand; `expires` and `kind` may be given."""
    return Step(
        id=other.get("id", f"day-{day}"),
        message=other.get("id", f"day-{day}"),
        day=day,
        at=At.parse(at),
        channel="sms" if channel == "sms" else "email",
        expires_after=timedelta(hours=int(other.get("expires_hours", "504"))),
        kind="service" if other.get("kind") == "service" else "drip",
    )


def utc(text: str) -> datetime:
    """Read "2026-03-08 07:00" as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)
