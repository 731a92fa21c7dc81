"""Figures from sums: how ratings spread, who left after which step, what is to come."""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import Catalog
from messages.render import Renderer
from schedules.series import load_series
from service.clinics import SAMPLE_CLINIC
from service.reporting.insight.forecast import Expected, Forecaster, OfClinic, rate_of
from service.reporting.insight.insight import View, next_days
from service.reporting.insight.sizes import Sizes
from service.reporting.insight.spans import WEEKS, Span
from service.reporting.insight.spread import spread
from service.reporting.insight.tables import TABLES, Table, tables
from service.reporting.insight.tallies import (
    Outcomes,
    StepTally,
    by_step,
    ratings,
    standings,
    tally,
)
from service.reporting.insight.zones import zones_of
from service.reporting.prices import Prices
from service.store.counts import targets

MONDAY = date(2026, 3, 2)
LEGS = load_series("restless-legs")
WEEK = {
    "d|restless-legs|2|2|s|d": 90,
    "d|restless-legs|2|2|s|u": 5,
    "d|restless-legs|2|2||k": 5,
    "d|sleep-hygiene|1|0|e|s": 7,
    "e|restless-legs|2|n||": 4,
    "e|restless-legs|2|o|2|s": 2,
    "e|restless-legs|2|h|2|s": 1,
    "e|restless-legs|2|o||s": 1,
    "c|restless-legs|symptom-check|0|8": 3,
    "c|restless-legs|symptom-check|2|5": 1,
    "i|": 6,
    "i|check_in": 4,
    "x|of a newer release": 1,
}
NOW = {
    "u|restless-legs|2|a": 10,
    "u|restless-legs|2|c": 3,
    "u|restless-legs|2|o": 1,
    "a|restless-legs|2|2026-03-02": 10,
}


@given(st.lists(st.integers(0, 10), min_size=2, max_size=60))
def test_a_spread_is_what_the_numbers_themselves_would_give(numbers: list[int]) -> None:
    found = spread(Counter(numbers))
    assert found is not None
    assert found.count == len(numbers)
    assert found.mean == pytest.approx(statistics.mean(numbers))
    quartiles = statistics.quantiles(numbers, n=4, method="inclusive")
    assert (found.low, found.median, found.high) == pytest.approx(tuple(quartiles))


def test_nothing_has_no_spread_and_one_number_is_its_own() -> None:
    assert spread({}) is None
    assert spread({4: 0}) is None
    found = spread({4: 1})
    assert found is not None
    assert (found.low, found.median, found.high, found.mean) == (4, 4, 4, 4)


@given(st.sampled_from(WEEKS), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_span_is_whole_weeks_up_to_today(weeks: int, today: date) -> None:
    span = Span(weeks, today)
    assert span.first.weekday() == 0
    assert len(span.mondays()) == weeks
    assert span.mondays()[-1] <= today < span.mondays()[-1] + timedelta(weeks=1)
    assert span.days()[0] == span.first
    assert span.days()[-1] == today


ZONES: dict[str, tzinfo] = {"1": timezone(timedelta(hours=-7)), "2": timezone(timedelta(hours=13))}


@given(st.integers(480_000, 510_000), st.sampled_from(["1", "2", "3"]))
def test_a_count_is_added_to_the_clinics_own_day_and_to_that_of_all(hour: int, clinic: str) -> None:
    day = datetime.fromtimestamp(hour * 3600, ZONES.get(clinic, UTC)).date()
    keys = {key for key, _ in targets(f"i|{hour}|{clinic}|help", ZONES)}
    monday = day - timedelta(days=day.weekday())
    assert keys == {
        f"{{counts}}:{who}:{period}"
        for who in (clinic, "*")
        for period in (f"d:{day}", f"w:{monday}")
    }


def test_what_a_newer_release_counts_is_passed_over() -> None:
    assert list(targets("q|500000|1|something|new", ZONES)) == []


def test_a_tally_is_of_one_series_or_of_all() -> None:
    every = tally(WEEK, None)
    assert every.outcomes() == Outcomes(delivered=90, sent=7, failed=5, skipped=5)
    assert every.outcomes("email") == Outcomes(sent=7)
    assert every.events == {"n": 4, "o": 3, "h": 1}
    assert every.words == {"": 6, "check_in": 4}
    one = tally(WEEK, "sleep-hygiene")
    assert one.outcomes() == Outcomes(sent=7)
    assert not one.events


def test_who_left_is_told_by_the_step_that_reached_them_last() -> None:
    steps = by_step([WEEK, WEEK], "restless-legs")
    walking = steps["restless-legs", 2, 2]
    assert walking.outcomes.reached == 180
    assert walking.events == {"o": 4, "h": 2}
    assert steps["restless-legs", 2, -1].events == {"n": 8, "o": 2}


def test_ratings_are_told_by_weeks_since_the_start() -> None:
    assert ratings([WEEK, WEEK], None) == {"symptom-check": {0: {8: 6}, 2: {5: 2}}}


def seen(count: int, texts: int = 0, mails: int = 0) -> StepTally:
    step = StepTally()
    step.channels["s"]["d"] = texts
    step.channels["e"]["d"] = mails
    step.channels[""]["k"] = count - texts - mails
    return step


def test_a_step_goes_out_as_it_did_lately_once_there_is_enough_to_go_by() -> None:
    (walking,) = (step for step in LEGS.steps if step.message == "walking")
    assert rate_of(walking, None).reaches == 1.0
    assert rate_of(walking, seen(19)).reaches == 1.0
    assert rate_of(walking, seen(100, texts=60, mails=20)).reaches == 0.8
    assert rate_of(walking, seen(100, texts=60, mails=20)).by_text == 0.75
    assert rate_of(walking, seen(100, texts=5)).by_text == 1.0


def forecast(of: OfClinic, today: date = MONDAY) -> dict[date, Expected]:
    return Forecaster({}, lambda _: 2).days([of], today, 30)


def test_the_forecast_tells_each_step_on_its_day() -> None:
    of = OfClinic(SAMPLE_CLINIC, {("restless-legs", 2, MONDAY): 10}, {})
    found = forecast(of)
    for ahead in range(31):
        steps = [step for step in LEGS.steps if step.day == ahead]
        day = found[MONDAY + timedelta(days=ahead)]
        assert day.messages == pytest.approx(10 * len(steps))
        assert day.segments == pytest.approx(2 * day.texts)
        assert day.unpriced == bool(steps)


def test_the_forecast_counts_those_who_may_join_apart() -> None:
    of = OfClinic(SAMPLE_CLINIC, {}, {"restless-legs": 28})
    found = forecast(of)
    assert found[MONDAY].messages == 0
    tomorrow = found[MONDAY + timedelta(days=1)]
    at_once = [step for step in LEGS.steps if step.day == 0]
    assert tomorrow.messages == tomorrow.newcomers == pytest.approx(len(at_once))
    later = found[MONDAY + timedelta(days=30)]
    assert later.newcomers == pytest.approx(sum(step.day < 30 for step in LEGS.steps))


def test_what_it_costs_is_told_in_each_clinics_currency() -> None:
    prices = Prices(sms_segment=Decimal("0.01"), email=Decimal("0.001"))
    priced = SAMPLE_CLINIC.model_copy(update={"prices": prices})
    of = OfClinic(priced, {("restless-legs", 2, MONDAY): 100}, {})
    total = next_days(forecast(of), MONDAY, 7)
    assert total.cost["USD"] == pytest.approx(total.segments * 0.01 + total.emails * 0.001)
    assert not total.unpriced
    unknown = OfClinic(None, {("no-such-series", 1, MONDAY): 5}, {"restless-legs": 1})
    assert next_days(forecast(unknown), MONDAY, 7).unpriced


def test_a_message_takes_as_many_segments_as_its_longest_language() -> None:
    catalog = Catalog.load()
    sizes = Sizes(catalog, Renderer(catalog))
    every = [sizes.segments(message.name) for message in catalog]
    assert set(every) == {1, 2}
    assert sizes.segments("no-such-message") == 1


def test_days_go_by_the_clinics_clock_or_by_utc() -> None:
    zone = zones_of({SAMPLE_CLINIC.id: SAMPLE_CLINIC})
    assert str(zone(SAMPLE_CLINIC.id)) == "America/Los_Angeles"
    assert zone("gone") is UTC


def a_view() -> View:
    span = Span(4, MONDAY + timedelta(days=3))
    return View(
        span=span,
        rows={MONDAY: tally(WEEK, None)},
        steps=by_step([WEEK], None),
        ratings=ratings([WEEK], None),
        standings=standings(NOW, None),
        expected=forecast(OfClinic(SAMPLE_CLINIC, {("restless-legs", 2, MONDAY): 10}, {})),
        series=("restless-legs",),
    )


def rows_of(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_each_table_is_read_back_from_its_csv() -> None:
    for table in tables(a_view()):
        assert TABLES[table.name](a_view()) == table
        rows = rows_of(table)
        assert len(rows) == len(table.rows) > 0, table.name
        assert all(None not in row and None not in row.values() for row in rows)


def test_the_table_of_steps_tells_the_share_that_left() -> None:
    rows = rows_of(TABLES["steps"](a_view()))
    (walking,) = (row for row in rows if row["message"] == "walking")
    assert walking["step"] == "3"
    assert walking["came_up"] == "100"
    assert walking["left_after_it"] == "2"
    assert float(walking["share_that_left"]) == pytest.approx(3 / 90, abs=1e-4)
    (before,) = (row for row in rows if not row["step"])
    assert (before["left_after_it"], before["share_that_left"]) == ("1", "")


def test_what_was_skipped_before_a_channel_was_chosen_is_told_too() -> None:
    rows = rows_of(TABLES["deliveries"](a_view()))
    assert [row["channel"] for row in rows] == ["sms", "email", "none"]
    assert rows[2]["skipped"] == "5"


def test_completion_is_a_share_of_those_whose_series_has_ended() -> None:
    (row,) = rows_of(TABLES["completion"](a_view()))
    assert (row["enrolled"], row["active"], row["completed"]) == ("14", "10", "3")
    assert row["share_of_the_ended_that_completed"] == "0.75"


def test_no_cell_is_run_as_a_formula() -> None:
    table = Table("steps", ("series",), (("=cmd|' /C calc'!A0",), ("+1",), ("@x",), ("legs",)))
    cells = [row["series"] for row in rows_of(table)]
    assert cells == ["'=cmd|' /C calc'!A0", "'+1", "'@x", "legs"]
