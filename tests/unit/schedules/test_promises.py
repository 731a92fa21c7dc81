"""What must hold for any patient, zone, year, series, policy, outage and pause."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Instant, ZonedDateTime

from schedules.calendar import Profile
from schedules.catchup import REMEMBERED_DAYS
from schedules.plan import Nights, nights_of, plan
from schedules.policy import Defer, Send, Skip, Standing, decide
from schedules.reasons import Reason
from schedules.simulate import Enrolment, Interval, Sent, Skipped, simulate
from tests.unit.schedules.strategies import (
    EMAIL_HOURS,
    SMS_HOURS,
    outages,
    patients,
    profiles,
    series,
    zoned_instants,
)

Case = tuple[Profile, tuple[Enrolment, ...], tuple[Interval, ...]]


def reading(profile: Profile, instant: datetime) -> ZonedDateTime:
    return Instant.from_timestamp(instant.timestamp()).to_tz(profile.timezone)


def is_open(profile: Profile, channel: str, instant: datetime) -> bool:
    local = reading(profile, instant)
    sunday = local.date().day_of_week().value == 7
    hours = SMS_HOURS[profile.country, profile.state][sunday] if channel == "sms" else EMAIL_HOURS
    return hours[0] <= local.hour < hours[1]


def walked(case: Case) -> list[Sent | Skipped]:
    profile, enrolments, outage = case
    return list(simulate(profile, enrolments, outage))


def sent(case: Case) -> list[Sent]:
    return [outcome for outcome in walked(case) if isinstance(outcome, Sent)]


def drip_dates(case: Case) -> list[date]:
    return [
        reading(case[0], each.at).date().to_stdlib()
        for each in sent(case)
        if each.step.kind == "drip"
    ]


@settings(max_examples=250, deadline=None)
@given(patients())
def test_nothing_is_sent_outside_the_patients_hours(case: Case) -> None:
    for each in sent(case):
        assert is_open(case[0], each.channel, each.at)


@settings(max_examples=250, deadline=None)
@given(patients())
def test_no_validity_outlives_the_window(case: Case) -> None:
    for each in sent(case):
        if each.channel == "email":
            assert each.validity_s is None
            continue
        assert each.validity_s is not None
        assert 300 <= each.validity_s <= 4 * 3600
        given_up = each.at + timedelta(seconds=each.validity_s)
        assert is_open(case[0], "sms", given_up + timedelta(seconds=60))
        assert given_up + timedelta(seconds=60) < each.closes


@settings(max_examples=250, deadline=None)
@given(patients())
def test_no_patient_has_two_drips_on_a_local_day_or_eight_in_a_week(case: Case) -> None:
    dates = drip_dates(case)
    assert len(dates) == len(set(dates))
    assert all(later - earlier >= timedelta(days=1) for earlier, later in pairwise(dates))
    for first in dates:
        assert sum(first <= each < first + timedelta(days=7) for each in dates) <= 7


@settings(max_examples=250, deadline=None)
@given(patients())
def test_every_step_is_reached_in_order_and_sent_or_given_a_reason(case: Case) -> None:
    outcomes = walked(case)
    for enrolment in case[1]:
        mine = [each for each in outcomes if each.series == enrolment.series.name]
        assert [each.index for each in mine] == list(range(len(enrolment.series.steps)))
        assert all(earlier.at <= later.at for earlier, later in pairwise(mine))


@settings(max_examples=150, deadline=None)
@given(patients())
def test_nothing_goes_during_an_outage_or_a_pause_or_before_it_is_due(case: Case) -> None:
    profile, enrolments, outage = case
    for each in sent(case):
        own = next(one for one in enrolments if one.series.name == each.series)
        idle = (*outage, *own.pauses)
        assert not any(begins <= each.at < ends for begins, ends in idle)
        due = plan(own.series, profile, own.start, own.enrolled_at)[each.index].due
        assert max(due, own.enrolled_at) <= each.at


@settings(max_examples=150, deadline=None)
@given(patients())
def test_nothing_goes_after_it_has_expired_save_for_the_nights_it_waited(case: Case) -> None:
    profile, enrolments, _ = case
    nights = sum(len(one.series.steps) - 1 for one in enrolments if one.series.nightly)
    for each in sent(case):
        own = next(one for one in enrolments if one.series.name == each.series)
        step = plan(own.series, profile, own.start, own.enrolled_at)[each.index]
        waited = 0 if own.series.nightly or each.step.kind == "service" else nights
        assert each.at < step.expires + timedelta(days=waited)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_the_same_patient_is_always_told_the_same(case: Case) -> None:
    assert walked(case) == walked(case)


@settings(max_examples=150, deadline=None)
@given(st.data(), zoned_instants)
def test_without_an_outage_a_lone_series_sends_every_step(
    data: st.DataObject, drawn: tuple[str, datetime]
) -> None:
    zone, enrolled_at = drawn
    profile = data.draw(profiles(zone))
    # From day 1, since a step of the first day may have to wait behind the welcome.
    lone = data.draw(series("lone", nightly=False, first_day=1))
    start = enrolled_at.date() + timedelta(days=3)
    outcomes = list(simulate(profile, [Enrolment(lone, start, enrolled_at)]))
    skipped = [each for each in outcomes if isinstance(each, Skipped)]
    # On a date that the zone leaves out, two days' steps meet, and the second may not keep.
    assert all(each.reason in {Reason.CROWDED_OUT, Reason.EXPIRED} for each in skipped)
    if not leaves_out_a_date(zone, enrolled_at):
        assert skipped == []


def leaves_out_a_date(zone: str, near: datetime) -> bool:
    first = Instant.from_timestamp(near.timestamp()).to_tz(zone)
    last = Instant.from_timestamp((near + timedelta(days=60)).timestamp()).to_tz(zone)
    return abs((last.offset - first.offset).total("hours")) > 12


@settings(max_examples=200, deadline=None)
@given(st.data(), zoned_instants)
def test_any_decision_at_any_time_is_one_of_three_and_a_deferral_lies_ahead(
    data: st.DataObject, drawn: tuple[str, datetime]
) -> None:
    zone, enrolled_at = drawn
    profile = data.draw(profiles(zone))
    chosen = data.draw(series("any", nightly=data.draw(st.booleans())))
    now = enrolled_at + timedelta(minutes=data.draw(st.integers(0, 60 * 24 * 60)))
    today = reading(profile, now).date().to_stdlib()
    ago = st.integers(-2, REMEMBERED_DAYS).map(lambda days: today - timedelta(days=days))
    standing = Standing(
        series=chosen,
        index=data.draw(st.integers(0, len(chosen.steps) - 1)),
        profile=profile,
        start=enrolled_at.date(),
        enrolled_at=enrolled_at,
        recent_drips=tuple(data.draw(st.lists(ago, max_size=7))),
        nights=tuple(
            Nights(first, first + timedelta(days=13))
            for first in data.draw(st.lists(ago, max_size=2))
        ),
    )
    match decide(standing, now):
        case Defer(until=until):
            assert now < until <= now + timedelta(days=70)
            assert until.tzinfo is UTC
        case Send(channel=channel, validity_s=validity_s, closes=closes):
            assert channel in profile.channels
            assert now + timedelta(seconds=(validity_s or 0) + 60) <= closes
        case Skip(reason=reason):
            assert reason in Reason


@settings(max_examples=100, deadline=None)
@given(st.data(), zoned_instants)
def test_a_nightly_series_has_its_nights_and_the_other_series_waits(
    data: st.DataObject, drawn: tuple[str, datetime]
) -> None:
    zone, enrolled_at = drawn
    profile = data.draw(profiles(zone))
    nightly = Enrolment(data.draw(series("nightly", nightly=True)), enrolled_at.date(), enrolled_at)
    other = Enrolment(data.draw(series("other", nightly=False)), enrolled_at.date(), enrolled_at)
    nights = nights_of(nightly.series, profile, nightly.start, enrolled_at)
    assert nights is not None
    for each in simulate(profile, [nightly, other], data.draw(outages(enrolled_at))):
        if isinstance(each, Sent) and each.series == "other" and each.step.kind == "drip":
            local = reading(profile, each.at).date().to_stdlib()
            assert not nights.first <= local <= nights.last


@settings(max_examples=250, deadline=None)
@given(patients(), st.data())
def test_a_walk_from_the_middle_goes_on_as_the_whole_walk_does(
    case: Case, data: st.DataObject
) -> None:
    """So a forecast of what an outage has left tells what will happen."""
    profile, enrolments, outage = case
    enrolments = tuple(replace(each, pauses=()) for each in enrolments)
    if not outage:
        return
    whole = list(simulate(profile, enrolments, outage))
    since = data.draw(st.sampled_from(outage))[1]
    if any(begins <= since < ends for begins, ends in outage):
        return  # another outage goes on
    past = [each for each in whole if each.at < since]
    now_at = [
        replace(each, index=sum(done.series == each.series.name for done in past))
        for each in enrolments
    ]
    drips = [
        reading(profile, each.at).date().to_stdlib()
        for each in past
        if isinstance(each, Sent) and each.step.kind == "drip"
    ]
    recent = tuple(drips[-REMEMBERED_DAYS:])
    rest = list(simulate(profile, now_at, outage, since=since, recent=recent))
    assert sorted(rest, key=_place) == sorted(whole[len(past) :], key=_place)


def _place(outcome: Sent | Skipped) -> tuple[datetime, str, int]:
    return outcome.at, outcome.series, outcome.index
