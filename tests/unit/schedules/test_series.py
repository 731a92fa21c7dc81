"""Reading series files: exactly a series, or an error that says which key and what to do."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from schedules.errors import SeriesError
from schedules.series import list_series, load_series
from schedules.steps import At, Wording

GOOD = """
series = "tips"
version = 2
title = "Tips"
frequency = "about 1 message a week for 1 week"
catch_up = "spread"
expires_after = "7d"

[[wording]]
language = "es"
title = "Consejos"
frequency = "1 mensaje por semana durante 1 semana"

[[step]]
message = "welcome"
day = 0
at = "enrolment"
channel = "sms"
kind = "service"

[[step]]
id = "a-walk"
message = "walking"
day = 2
at = "bedtime-45"
channel = "email"
expires_after = "90m"
"""


def written(root: Path, text: str = GOOD, name: str = "tips.v2.toml") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root


def test_a_series_is_read_with_its_defaults(tmp_path: Path) -> None:
    series = load_series("tips", root=written(tmp_path))
    assert (series.name, series.version, series.catch_up, series.nightly) == (
        "tips",
        2,
        "spread",
        False,
    )
    welcome, walk = series.steps
    assert (welcome.id, welcome.kind, welcome.expires_after) == (
        "welcome",
        "service",
        timedelta(days=7),
    )
    assert (walk.id, walk.message, walk.kind) == ("a-walk", "walking", "drip")
    assert (walk.at, walk.expires_after) == (
        At("bedtime", minus_minutes=45),
        timedelta(minutes=90),
    )


def test_the_words_of_a_series_are_in_the_patients_language_or_else_in_english(
    tmp_path: Path,
) -> None:
    series = load_series("tips", root=written(tmp_path))
    assert series.words("es").title == "Consejos"
    assert series.words("vi") == Wording("en", "Tips", "about 1 message a week for 1 week")


def test_the_newest_version_is_taken_unless_one_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, GOOD.replace("version = 2", "version = 10"), "tips.v10.toml")
    assert load_series("tips", root=tmp_path).version == 10
    assert load_series("tips", 2, root=tmp_path).version == 2
    assert [each.version for each in list_series(tmp_path)] == [2, 10]


def test_a_series_is_read_once(tmp_path: Path) -> None:
    written(tmp_path)
    assert load_series("tips", 2, tmp_path) is load_series("tips", 2, tmp_path)


def test_a_series_or_version_that_does_not_exist_is_named_with_those_that_do(
    tmp_path: Path,
) -> None:
    written(tmp_path)
    with pytest.raises(SeriesError, match=r"no series 'hints'; there are: tips"):
        load_series("hints", root=tmp_path)
    with pytest.raises(SeriesError, match=r"no version 3; it has: 2"):
        load_series("tips", 3, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 2", "version = 3", r"tips\.v2\.toml: version = 3: give 2, as in the file"),
        ("version = 2", 'version = "2"', "version = '2': give a whole number"),
        ("version = 2", "version = true", "version = True: give a whole number"),
        ('series = "tips"', 'series = "hints"', "series = 'hints': give 'tips', as in the file"),
        ('title = "Tips"', "", "'title' is missing: give a text"),
        ('title = "Tips"', 'title = " "', "title = ' ': give a text"),
        ('"spread"', '"flood"', "catch_up = 'flood': give one of skip, latest, spread"),
        ('"spread"', '"spread"\nnightly = "no"', "nightly = 'no': give true or false"),
        ('"spread"', '"spread"\nnightley = true', "unknown key 'nightley'"),
        ('"7d"', '"a week"', "expires_after = 'a week': give a span such as"),
        ('expires_after = "7d"', "", "step 1: 'expires_after' is missing: give a span"),
        ('language = "es"', 'language = "Spanish"', "wording 1: language = 'Spanish'"),
        ("day = 2", "day = -2", "step 2: day = -2: give a whole number, 0 or more"),
        ("day = 2", "day = 2\nhour = 10", "step 2: unknown key 'hour'"),
        ('"bedtime-45"', '"25:00"', 'step 2: at: "25:00" is not a time'),
        ('"bedtime-45"', "10:00:00", "step 2: at = datetime.time"),
        ('"email"', '"fax"', "step 2: channel = 'fax': give one of sms, email"),
        ('"service"', '"advert"', "step 1: kind = 'advert': give one of drip, service"),
        ('"walking"', '"A Walk"', "step 2: message = 'A Walk': give lower-case words"),
        ("[[step]]", "[[steps]]", "unknown key 'steps'"),
        ("[[wording]]", "[wording]", "wording = .* give tables, each begun with"),
        ("day = 2", "day = ", "not TOML"),
    ],
)
def test_a_file_that_is_not_a_series_is_refused_with_file_key_and_what_to_do(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(SeriesError, match=said) as caught:
        load_series("tips", root=written(tmp_path, GOOD.replace(old, new)))
    assert str(caught.value).startswith("tips.v2.toml")


def test_a_series_without_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"'step' is missing: give at least one \[\[step\]\]"):
        load_series("tips", root=written(tmp_path, GOOD.split("[[wording]]", maxsplit=1)[0]))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tips.v2.toml").write_bytes(GOOD.replace("Tips", "Pequeños").encode("latin-1"))
    with pytest.raises(SeriesError, match="cannot be read as UTF-8"):
        load_series("tips", root=tmp_path)


@pytest.mark.parametrize("name", ["tips.toml", "Tips.v1.toml", "tips.v0.toml", "tips.v01.toml"])
def test_a_file_name_without_a_version_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SeriesError, match=r"name the file <series>\.v<version>\.toml"):
        list_series(written(tmp_path, name=name))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10:00", At("clock", time(10))),
        ("bedtime", At("bedtime")),
        ("bedtime-30", At("bedtime", minus_minutes=30)),
        ("enrolment", At("enrolment")),
    ],
)
def test_a_time_of_day_reads_and_writes_the_same(text: str, at: At) -> None:
    assert At.parse(text) == at
    assert str(at) == text


@pytest.mark.parametrize("text", ["", "24:00", "9:00", "10:60", "bedtime+5", "noon", "10:00 "])
def test_what_is_no_time_of_day_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SeriesError, match='write "10:00", "bedtime"'):
        At.parse(text)


def test_the_twelve_weeks_weave_three_strands_and_end_with_the_closing() -> None:
    series = load_series("restless-legs", 1)
    assert len(series.steps) == 45
    assert series.steps[-1].message == "closing"
    assert series.steps[-1].day < 12 * 7
    assert [step.message for step in series.steps if step.kind == "service"] == [
        "welcome",
        "when-to-seek-help",
    ]
    assert {step.channel for step in series.steps} == {"sms", "email"}


def test_the_fourteen_evenings_follow_the_welcome_at_bedtime() -> None:
    series = load_series("sleep-hygiene", 1)
    assert (series.nightly, series.catch_up) == (True, "skip")
    assert [step.day for step in series.steps] == list(range(15))
    assert {str(step.at) for step in series.steps[1:]} == {"bedtime"}
