from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from messages.catalog import Catalog
from schedules.series import list_series, load_series
from tests.unit.service.cli.conftest import Run

PREVIEW = ("series", "preview", "sleep-hygiene", "--start", "2026-03-05")
EAST = ("--timezone", "America/New_York", "--state", "NY")
LOADED = """
import sys
from service.cli.app import main
sys.stdout, out = open("/dev/null", "w"), sys.stdout
codes = [
    main(["messages", "list", "--json"]),
    main(["messages", "show", "walking", "--json"]),
    main(["series", "list", "--json"]),
    main(["series", "preview", "sleep-hygiene", "--start=2026-03-02", "--timezone=UTC", "--json"]),
]
print("".join(map(str, codes)), *(name for name in sys.modules if "." not in name), file=out)
"""


def test_the_list_of_messages_has_the_shape_that_others_read(run: Run) -> None:
    rows = run("messages", "list", "--json").answer
    assert [row["message"] for row in rows] == [message.name for message in Catalog.load()]
    for row in rows:
        assert row["strand"] in {"lifestyle", "sleep", "follow_up", "service"}
        assert row["languages"] == ["en", "es"]
        assert isinstance(row["sources"], list)
        assert date.fromisoformat(row["reviewed"]).year >= 2026


def test_the_list_can_be_held_to_one_strand(run: Run) -> None:
    rows = run("messages", "list", "--strand", "sleep", "--json").answer
    assert {row["strand"] for row in rows} == {"sleep"}


def test_a_message_is_shown_with_both_its_forms(run: Run) -> None:
    shown = run("messages", "show", "walking", "--language", "en", "--json").answer
    assert (shown["message"], shown["language"], shown["strand"]) == ("walking", "en", "lifestyle")
    assert shown["sources"]
    assert shown["sms"]["text"].startswith("Riverside Clinic: ")
    assert (shown["sms"]["encoding"], shown["sms"]["segments"]) == ("GSM-7", 1)
    assert "Hello Ana" in shown["email"]["text"]
    assert shown["email"]["html"].lstrip().startswith("<!")
    assert shown["email"]["subject"]


def test_people_see_the_phone_and_the_mailbox_within_80_columns(run: Run) -> None:
    out = run("messages", "show", "walking").out
    assert "Text from Riverside Clinic" in out
    assert "1 segment, GSM-7" in out
    assert "Subject" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_every_series_is_listed_with_its_number_of_steps(run: Run) -> None:
    rows = run("series", "list", "--json").answer
    assert [(row["series"], row["version"], row["steps"]) for row in rows] == [
        (series.name, series.version, len(series.steps)) for series in list_series()
    ]


@pytest.mark.parametrize("what", ["messages", "series"])
def test_lint_answers_with_its_problems_and_an_exit_code_that_agrees(run: Run, what: str) -> None:
    ran = run(what, "lint", "--json")
    problems = ran.answer["problems"]
    assert ran.code == (1 if problems else 0)
    assert all(set(problem) == {"where", "rule", "detail"} for problem in problems)


def test_a_preview_gives_each_step_its_two_times_and_its_words(run: Run) -> None:
    found = run(*PREVIEW, *EAST, "--json").answer
    series = load_series("sleep-hygiene")
    assert (found["series"], found["version"]) == (series.name, series.version)
    assert [step["step"] for step in found["steps"]] == [step.id for step in series.steps]
    for step in found["steps"]:
        local, utc = datetime.fromisoformat(step["local"]), datetime.fromisoformat(step["utc"])
        assert step["utc"].endswith("Z")
        assert local.utcoffset() is not None
        assert local == utc
        assert step["text"]
        assert step["subject"] is None or step["channel"] == "email"


def test_a_preview_keeps_the_local_hour_across_a_change_of_the_clocks(run: Run) -> None:
    steps = run(*PREVIEW, *EAST, "--bedtime", "19:30", "--json").answer["steps"][1:]
    found = [datetime.fromisoformat(step["local"]) for step in steps]
    assert {local.strftime("%H:%M") for local in found} == {"19:30"}
    assert {local.utcoffset() for local in found} == {timedelta(hours=-5), timedelta(hours=-4)}


def test_a_preview_by_email_alone_has_subjects(run: Run) -> None:
    steps = run(*PREVIEW, *EAST, "--channels", "email", "--json").answer["steps"]
    assert {step["channel"] for step in steps} == {"email"}
    assert all(step["subject"] for step in steps)


@pytest.mark.parametrize("series", ["restless-legs", "sleep-hygiene"])
@pytest.mark.parametrize("channels", ["sms,email", "email"])
def test_a_preview_in_spanish_is_spanish_from_end_to_end(
    run: Run, series: str, channels: str
) -> None:
    options = (series, "--start", "2026-03-02", *EAST, "--channels", channels, "--json")
    english = run("series", "preview", *options).answer["steps"]
    spanish = run("series", "preview", *options, "--language", "es").answer["steps"]
    times = ("step", "message", "channel", "local", "utc")
    assert [[step[key] for key in times] for step in english] == [
        [step[key] for key in times] for step in spanish
    ]
    for one, other in zip(english, spanish, strict=True):
        assert one["text"] != other["text"]
        assert one["subject"] is None or one["subject"] != other["subject"]
    assert load_series(series).words("es").frequency in spanish[0]["text"]


def test_a_message_is_shown_in_spanish_with_measures_made_for_it(run: Run) -> None:
    shown = run("messages", "show", "walking", "--language", "es", "--json").answer
    assert shown["language"] == "es"
    assert (shown["sms"]["encoding"], shown["sms"]["segments"]) == ("GSM-7", 1)
    assert shown["email"]["text"].startswith("Hola, Ana:")
    assert shown["grade"] <= 6
    assert shown["ease"] >= 65


def test_a_preview_for_people_has_every_message_within_80_columns(run: Run) -> None:
    out = run(*PREVIEW, *EAST).out
    assert out.count("Riverside Clinic:") == len(load_series("sleep-hygiene").steps)
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("nope",), "series"),
        (("sleep-hygiene", "--version", "99"), "series"),
        (("sleep-hygiene", "--start", "02/03/2026"), "start"),
        (("sleep-hygiene", "--timezone", "Mars/Olympus"), "timezone"),
        (("sleep-hygiene", "--bedtime", "late"), "bedtime"),
        (("sleep-hygiene", "--bedtime", "24:00"), "bedtime"),
        (("sleep-hygiene", "--language", "tlh"), "language"),
        (("sleep-hygiene", "--channels", "pigeon"), "channels"),
        (("sleep-hygiene", "--channels", ""), "channels"),
        (("sleep-hygiene", "--state", "Oregon"), "state"),
        (("sleep-hygiene", "--enrolled-at", "2026-03-02T09:00"), "enrolled_at"),
    ],
)
def test_a_wrong_option_of_a_preview_is_named(
    run: Run, options: tuple[str, ...], field: str
) -> None:
    given = [*options]
    if "--start" not in given:
        given += ["--start", "2026-03-02"]
    if "--timezone" not in given:
        given += ["--timezone", "UTC"]
    ran = run("series", "preview", *given, "--json")
    assert ran.failed(2).startswith(f"{field}: ")
    assert ran.answer["error"]["field"] == field


def test_content_commands_need_no_store_and_load_none_of_its_libraries(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={**os.environ, "AFTERVISIT_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    codes, *loaded = done.stdout.split()
    assert codes == "0000"
    heavy = {"redis", "celery", "twilio", "pydantic", "phonenumbers", "fastapi", "rich"}
    assert not heavy & set(loaded)
    assert not (tmp_path / "data").exists()
