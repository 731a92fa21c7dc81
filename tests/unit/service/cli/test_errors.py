from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psutil
import pytest

from service.cli.root import aftervisit as root
from tests.support.command import COMMAND, aftervisit
from tests.support.polling import until
from tests.unit.service.cli.conftest import Run, error_of

GOOD = {
    "--clinic": "riverside",
    "--given-name": "Ana",
    "--phone": "(503) 555-0142",
    "--email": "ana@example.org",
    "--language": "en",
    "--timezone": "America/Los_Angeles",
    "--state": "OR",
    "--bedtime": "22:30",
    "--series": "restless-legs",
    "--start": "2026-03-02",
    "--sms-consent": "verbal",
    "--email-consent": "written",
    "--wording": "2026-01",
}

CTRL_C_AT_IMPORT = """
import signal, sys
from service.cli.app import main

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "MODULE":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.exit(main(["enroll"]))
"""
CTRL_C_IN_A_CALLBACK = """
import signal, sys, time, weakref
from service.cli.app import main

class Dropping:
    def find_spec(self, name, path=None, target=None):
        if name == "service.bootstrap":
            gone = set()
            watched = weakref.ref(gone, lambda _: signal.raise_signal(signal.SIGINT))
            del gone
            time.sleep(30)

sys.meta_path.insert(0, Dropping())
sys.exit(main(["enroll"]))
"""


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--clinic", "nowhere", "clinic_unknown"),
        ("--given-name", "", "name_missing"),
        ("--given-name", "A" * 61, "name_bad"),
        ("--phone", "503555", "phone_too_short"),
        ("--phone", "not a number", "phone_not_a_number"),
        ("--phone", "+1 800 555 0199", "phone_not_mobile"),
        ("--email", "ana@example", "email_domain"),
        ("--email", "ana.example.org", "email_at_sign"),
        ("--language", "tlh", "language_unknown"),
        ("--timezone", "Pacific", "timezone_unknown"),
        ("--timezone", "", "timezone_missing"),
        ("--state", "Oregon", "state_unknown"),
        ("--bedtime", "10pm", "bedtime_bad"),
        ("--series", "restless-arms", "series_unknown"),
        ("--series", "../../etc", "series_unknown"),
        ("--start", "2026-02-30", "date_bad"),
        ("--start", "9999-12-31", "date_bad"),
        ("--sms-consent", "", "consent_missing"),
        ("--email-consent", "", "consent_missing"),
        ("--wording", "", "wording_missing"),
    ],
)
def test_a_wrong_enrolment_is_told_in_one_line_and_stores_nothing(
    run: Run, tmp_path: Path, option: str, value: str, code: str
) -> None:
    given = [part for pair in (GOOD | {option: value}).items() for part in pair]
    ran = run("enroll", *given, "--json")
    line = ran.failed(2)
    assert error_of(ran)["code"] == code
    field = error_of(ran)["field"]
    assert field is not None
    assert line.startswith(f"{field}: ")
    assert field.replace("_", "-") == option.removeprefix("--")
    assert list(tmp_path.iterdir()) == [], "nothing is stored, not even a data directory"


@pytest.mark.parametrize(
    ("option", "value"), [("--phone", "98765432109876543210"), ("--email", "98765432@@example")]
)
def test_what_was_typed_as_an_address_is_not_repeated(run: Run, option: str, value: str) -> None:
    given = [part for pair in (GOOD | {option: value}).items() for part in pair]
    ran = run("enroll", *given, "--json")
    assert ran.code == 2
    assert "98765432" not in ran.err + ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("enroll", "--phone5035550142"),
        ("5035550142",),
        ("patients", "ana@example.org"),
        ("patients", "list", "--limit", "ana@example.org"),
    ],
)
def test_an_address_in_the_wrong_place_is_not_repeated(
    run: Run, arguments: tuple[str, ...]
) -> None:
    line = run(*arguments).failed(2)
    assert "50142" not in line
    assert "example" not in line


def test_half_a_phone_number_that_lacked_its_quotes_is_not_repeated(run: Run) -> None:
    line = run("enroll", "--phone", "503", "5550142").failed(2)
    assert "5550142" not in line
    assert "quotes" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nope",), "nope"),
        (("messages", "shw"), "show"),
        (("messages", "show"), "MESSAGE"),
        (("messages", "list", "--colour"), "--colour"),
        (("messages", "list", "--strand", "poetry"), "poetry"),
        (("series", "preview", "sleep-hygiene"), "--start"),
        (("patients", "list", "--limit", "none"), "--limit"),
        (("patients", "find"), "--phone"),
        (("explain",), "PATIENT"),
        (("explain", "0j4zz670ccqp", "--date", "tuesday"), "date"),
    ],
)
def test_wrong_use_exits_with_2_and_names_what_is_wrong(
    run: Run, arguments: tuple[str, ...], named: str
) -> None:
    assert named in run(*arguments).failed(2)
    assert error_of(run(*arguments, "--json"))["message"]


def test_a_setting_that_is_wrong_exits_with_1_and_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERVISIT_CLOCK", "sundial")
    for command in (("worker",), ("beat",), ("web",), ("doctor",), ("patients", "list")):
        assert run(*command).failed(1).startswith("AFTERVISIT_CLOCK: ")


def test_a_store_that_does_not_answer_exits_with_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERVISIT_REDIS_URL", "redis://127.0.0.1:1/0")
    ran = run("patients", "list", "--json")
    assert "store" in ran.failed(1)
    assert error_of(ran)["code"] == "store_unavailable"


@pytest.mark.parametrize("name", root.list_commands(click.Context(root)))
def test_every_command_says_what_it_does(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: aftervisit {name}")
    assert max(len(line) for line in ran.out.splitlines()) <= 80


def test_no_command_at_all_shows_the_overview(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert "Usage:" in ran.err
    assert ran.out == ""


def test_a_reader_that_has_gone_is_no_fault_worth_a_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [COMMAND, "messages", "list", "--json"],
        env={**os.environ, "AFTERVISIT_DATA_DIR": str(tmp_path)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    clinics = tmp_path / "clinics.toml"
    clinics.mkdir()
    line = aftervisit("patients", "list", data_dir=tmp_path, CLINICS=str(clinics)).failed(1)
    assert "clinics.toml" in line


def test_a_fault_of_our_own_is_a_line_without_values() -> None:
    code = "from service.cli.app import main; main(['version']); raise ValueError('5035550142')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "ValueError" in done.stderr
    assert "5035550142" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("messages", "list"),
        ("messages", "list", "--json"),
        ("messages", "show", "walking"),
        ("series", "preview", "sleep-hygiene", "--start=2026-03-02", "--timezone=UTC"),
        ("messages", "show", "nothing", "--json"),
        ("--version",),
        ("--help",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("where", [">&-", "> /dev/full"])
def test_an_answer_that_cannot_be_written_is_a_failure_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], where: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {where}', COMMAND, *arguments],
        env={**os.environ, "AFTERVISIT_DATA_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    *others, line = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("aftervisit: stdout cannot be written (")
    assert len(others) == ("nothing" in arguments), "what else went wrong is told as well"


def test_a_terminal_without_our_letters_gets_plainer_ones(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "messages", "show", "walking"],
        env={
            **os.environ,
            "AFTERVISIT_DATA_DIR": str(tmp_path),
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "COLUMNS": "80",
        },
        capture_output=True,
        check=True,
    )
    out = done.stdout.decode("ascii")
    assert "??" not in out
    assert f"| {'-' * 74} |" in out
    assert "you can't catch your breath" in out


def test_a_whole_number_is_asked_for_in_words(run: Run) -> None:
    for value in ("x", "0"):
        assert "give a whole number from 1 to 90." in run("demo", "--days", value).failed(2)
    assert "from 1 to 100,000." in run("patients", "list", "--limit", "many").failed(2)


def test_a_time_zone_that_is_missing_is_asked_for_by_its_option(run: Run) -> None:
    given = [part for pair in (GOOD | {"--timezone": ""}).items() for part in pair]
    assert "--timezone America/New_York" in run("enroll", *given).failed(2)


def test_the_version_is_told_by_an_option_too(run: Run) -> None:
    assert run("--version").out == run("version").out


@contextmanager
def child(*command: str | Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **{f"AFTERVISIT_{key}": value for key, value in settings.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_ends_a_command_with_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "clinics.toml"
    os.mkfifo(fifo)
    with (
        child(COMMAND, "enroll", DATA_DIR=str(tmp_path), CLINICS=str(fifo)) as process,
        fifo.open("wb"),  # opens only once the command reads it: it is under way now
    ):
        # Between opening and reading a signal is noted and not yet acted on, and the read that
        # follows waits for ever: as with any program, a second Ctrl-C would end that.
        waits = psutil.Process(process.pid)
        until(lambda: waits.status() == psutil.STATUS_SLEEPING, "it waits for the file", limit_s=60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out + err).strip() == b""


@pytest.mark.parametrize("module", ["service.cli.root", "service.bootstrap", "pydantic"])
def test_ctrl_c_while_a_command_still_loads_ends_it_as_well(tmp_path: Path, module: str) -> None:
    code = CTRL_C_AT_IMPORT.replace("MODULE", module)
    with child(sys.executable, "-c", code, DATA_DIR=str(tmp_path)) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, (out + err).strip()) == (130, b"")


def test_ctrl_c_in_a_callback_where_python_drops_it_is_heeded(tmp_path: Path) -> None:
    with child(sys.executable, "-c", CTRL_C_IN_A_CALLBACK, DATA_DIR=str(tmp_path)) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, (out + err).strip()) == (130, b"")
