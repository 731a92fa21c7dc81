"""What lint holds a series to."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from messages.catalog import Catalog
from schedules.lint import Problem, lint_all, lint_series
from schedules.series import load_series
from schedules.steps import At, Series, Step, Wording


@dataclass(frozen=True)
class Entry:
    name: str
    strand: str
    languages: tuple[str, ...] = ("en",)


SERIES = load_series("restless-legs", 1)
NIGHTLY = load_series("sleep-hygiene", 1)
LIBRARY = [
    Entry(step.message, "service" if step.message == "welcome" else "lifestyle")
    for step in (*SERIES.steps, *NIGHTLY.steps)
]


def with_step(index: int, step: Step, series: Series = SERIES) -> Series:
    return replace(series, steps=(*series.steps[:index], step, *series.steps[index + 1 :]))


def rules(series: Series) -> set[str]:
    return {problem.rule for problem in lint_series(series, LIBRARY)}


WALKING = SERIES.steps[2]
EVENING = NIGHTLY.steps[3]


def test_the_packaged_series_are_clean_with_the_packaged_library() -> None:
    assert lint_all(Catalog.load()) == []


def test_a_series_has_a_title_and_a_frequency_in_each_language_of_its_messages() -> None:
    library = [replace(entry, languages=("en", "es")) for entry in LIBRARY]
    assert lint_series(SERIES, library) == []
    (problem,) = lint_series(replace(SERIES, wording=()), library)
    assert (problem.rule, "'es'" in problem.detail) == ("wording", True)
    half = [replace(library[0], languages=("en",)), *library[1:]]
    assert lint_series(replace(SERIES, wording=()), half) == []


def test_every_published_series_is_checked_and_an_unreadable_file_is_a_problem(
    tmp_path: Path,
) -> None:
    (tmp_path / "tips.v1.toml").write_text("series = 1", encoding="utf-8")
    (tmp_path / "notes.toml").write_text("", encoding="utf-8")
    found = lint_all(LIBRARY, tmp_path)
    assert [(problem.where, problem.rule) for problem in found] == [
        ("notes.toml", "series-file"),
        ("tips.v1.toml", "series-file"),
    ]


def test_what_is_no_readable_file_is_told_by_its_name_alone(tmp_path: Path) -> None:
    (tmp_path / "tips.v1.toml").mkdir()
    (problem,) = lint_all(LIBRARY, tmp_path)
    assert (problem.where, problem.rule) == ("tips.v1.toml", "series-file")
    assert problem.detail == ("cannot be read (Is a directory): it has to be a file, and readable")


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        (replace(SERIES, steps=SERIES.steps[1:]), "opening"),
        (with_step(0, replace(SERIES.steps[0], channel="email")), "opening"),
        (with_step(2, replace(WALKING, at=At("enrolment"))), "opening"),
        (with_step(2, replace(WALKING, id="caffeine")), "one-id"),
        (with_step(2, replace(WALKING, message="caffeine")), "one-message"),
        (with_step(2, replace(WALKING, day=1)), "one-a-day"),
        (with_step(2, replace(WALKING, day=4)), "one-a-day"),
        (with_step(2, replace(WALKING, message="running")), "message"),
        (with_step(2, replace(WALKING, message="welcome")), "message"),
        (with_step(2, replace(WALKING, expires_after=timedelta(minutes=5))), "expiry"),
        (with_step(2, replace(WALKING, expires_after=timedelta(days=90))), "expiry"),
        (with_step(2, replace(WALKING, expires_after=timedelta(hours=12))), "expiry"),
        (with_step(0, replace(SERIES.steps[0], expires_after=timedelta(hours=2))), "expiry"),
        (with_step(2, replace(WALKING, at=At.parse("10:00"))), "hours"),
        (with_step(2, replace(WALKING, at=At.parse("16:54"))), "hours"),
        (with_step(2, replace(WALKING, at=At.parse("22:00"), channel="email")), "hours"),
        (replace(SERIES, frequency="about 3 messages a week for 12 weeks"), "frequency"),
        (replace(SERIES, frequency="about 4 messages a week for 10 weeks"), "frequency"),
        (replace(SERIES, frequency="now and then"), "frequency"),
        (replace(SERIES, wording=(Wording("es", "T", "3 mensajes"),)), "frequency"),
        (replace(NIGHTLY, frequency="1 message an evening for 7 evenings"), "frequency"),
        (replace(NIGHTLY, nightly=False), "week"),
        (with_step(14, replace(NIGHTLY.steps[14], day=20), NIGHTLY), "nightly"),
        (with_step(3, replace(EVENING, expires_after=timedelta(days=1)), NIGHTLY), "expiry"),
    ],
)
def test_lint_names_the_rule_that_a_series_breaks(series: Series, rule: str) -> None:
    assert rule in rules(series)


def test_a_time_that_is_open_everywhere_is_no_problem() -> None:
    for at in ("12:00", "16:53"):
        assert rules(with_step(2, replace(WALKING, at=At.parse(at)))) == set()


def test_a_problem_says_where_and_what_to_do() -> None:
    broken = with_step(2, replace(WALKING, at=At.parse("21:30")))
    assert lint_series(broken, LIBRARY) == [
        Problem(
            "restless-legs.v1: walking",
            "hours",
            "21:30 is not open everywhere: by sms, from 12:00 and before 16:54",
        )
    ]
