"""What the documentation lists is what the code has: settings, keys, scripts, states, decisions."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import pytest

from messages.catalog import Catalog
from messages.render import Renderer
from messages.sample import sample_context
from schedules.delivery import MOVES, TERMINAL, State
from schedules.series import read_series
from service.clinics import Clinic
from service.inbox.understanding.intents import ALIKE
from service.inbox.understanding.likeness import PREFIX
from service.inbox.understanding.rules import rules_of
from service.settings import Settings
from service.store import keys
from service.store.keys import ImportKeys, PartitionKeys, StaffKeys
from service.store.records import FlightState, Status
from service.store.replies import INBOUND_MARK
from service.web.health import PROBE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")], key=str)
ROW = re.compile(r"^\| (.+?) \|", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FLAGS = re.IGNORECASE | re.DOTALL


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_every_setting_is_documented_with_its_default_and_no_other_is() -> None:
    rows = re.findall(
        r"^\| `AFTERVISIT_(\w+)` \| (?:`(.*?)`)? ?\|", page("reference/settings.md"), re.MULTILINE
    )
    fields = Settings.model_fields
    expected = {
        name.upper(): "" if field.default is None else str(field.default)
        for name, field in fields.items()
    }
    assert dict(rows) == expected
    assert len(rows) == len(expected)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_variable_that_a_page_names_exists(path: Path) -> None:
    named = set(re.findall(r"AFTERVISIT_([A-Z][A-Z_]*[A-Z])\b", path.read_text("utf-8")))
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_within_the_documentation_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text("utf-8")):
        if target.startswith(("https://", "#")):
            continue
        wanted = (path.parent / target.partition("#")[0]).resolve()
        assert wanted.exists(), target


def test_every_key_of_the_store_is_documented_and_no_other_is() -> None:
    partition = PartitionKeys(17)
    expected = {keys.INSTALLATION, keys.CLOCK, keys.LEADER, keys.LAST_TICK}
    expected |= {keys.GAP, keys.LISTENING, keys.LISTING}
    for name, member in vars(PartitionKeys).items():
        if isinstance(member, property) and name != "tag":
            expected.add(getattr(partition, name))
        elif inspect.isfunction(member) and not name.startswith("_"):
            (parameter,) = list(inspect.signature(member).parameters)[1:]
            expected.add(getattr(partition, name)(f"<{parameter}>"))
    expected |= {StaffKeys.audit, StaffKeys.emails, StaffKeys.member("<member>")}
    expected |= {StaffKeys.session("<token>"), StaffKeys.sessions("<member>")}
    expected |= {keys.MIGRATIONS, keys.OPEN_MIGRATIONS, keys.migration("<identifier>")}
    expected |= {keys.CLINIC_NUMBERS, keys.ADDED_COUNTS, keys.sums("<clinic>", "<period>")}
    expected |= {ImportKeys.record("<identifier>"), ImportKeys.part("<part>"), ImportKeys.latest}
    expected |= {ImportKeys.waiting, ImportKeys.files, ImportKeys.audit}
    expected |= {keys.rate("<sender>"), keys.limit("<name>", "<digest>")}
    expected |= {INBOUND_MARK, PROBE, f"{partition.tag}:n:<address>"}
    tables = page("reference/store.md").partition("## A patient's fields")[0]
    assert {row.strip("`") for row in ROW.findall(tables)} - {"key", "---"} == expected


def test_every_script_of_the_store_is_documented_and_no_other_is() -> None:
    table = page("reference/store.md").partition("## Scripts")[2]
    listed = [row.strip("`") for row in ROW.findall(table) if row.startswith("`")]
    scripts = sorted(path.stem for path in (ROOT / "service/store/scripts").glob("*.lua"))
    assert listed == scripts


@pytest.mark.parametrize("letters", [Status, FlightState])
def test_every_letter_of_the_store_is_documented(letters: type[Status | FlightState]) -> None:
    fields = page("reference/store.md").partition("## A patient's fields")[2]
    for letter in letters:
        assert f"`{letter.value}` " in fields


def test_the_diagram_of_a_delivery_has_every_state_and_every_move() -> None:
    arrows = re.findall(r"^ +(\S+) --> (\S+)$", page("explanation/dispatch.md"), re.MULTILINE)
    drawn = {(State(start), State(end)) for start, end in arrows if "[*]" not in {start, end}}
    assert drawn == {(start, end) for start, ends in MOVES.items() for end in ends}
    over = {State(start) for start, end in arrows if end == "[*]"}
    assert over == {state for state in TERMINAL if not MOVES[state]}


def test_the_table_of_states_has_every_letter() -> None:
    rows = re.findall(r"^\| (\w+) \| `(\w)` \|", page("explanation/dispatch.md"), re.MULTILINE)
    assert rows == [(state.value, state.code) for state in State]


def test_every_key_of_a_clinics_file_is_documented_and_no_other_is() -> None:
    table = page("how-to/clinics-file.md").partition("A key that is not")[0]
    listed = [row.strip("`") for row in ROW.findall(table) if row.startswith("`")]
    assert listed == list(Clinic.model_fields)


def test_the_runbook_names_events_that_are_logged() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "service").rglob("*.py"))
    logged = set(re.findall(r"log\.\w+\(\s*\"(\w+)\"", sources))
    named = {
        word
        for row in ROW.findall(page("runbook.md"))
        for word in re.findall(r"`([a-z]+_[a-z_]+)`", row)
    }
    assert named
    assert named <= logged


@pytest.mark.parametrize("path", sorted(DOCS.glob("adr/0*.md")), ids=lambda path: path.stem)
def test_each_decision_says_its_status_context_decision_and_consequences(path: Path) -> None:
    text = path.read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Status", "Context", "Decision", "Consequences"]
    assert text.startswith(f"# {path.name[:4]} ")
    assert len(text.splitlines()) < 60, "a page at most"
    assert f"({path.name})" in page("adr/README.md")


def test_the_documentation_says_that_it_is_no_legal_advice() -> None:
    for text in (page("README.md"), (ROOT / "README.md").read_text("utf-8")):
        assert re.search(
            r"not(hing)?\b[^.]{0,60}\blegal\b[^.]{0,20}advice", text, re.IGNORECASE | re.DOTALL
        )


def test_the_example_of_a_series_is_one(tmp_path: Path) -> None:
    path = tmp_path / "evening-calm.v1.toml"
    path.write_text(block("how-to/add-a-series.md", "toml"), "utf-8")
    series = read_series(path)
    assert [step.message for step in series.steps] == ["welcome", "sleep-wind-down"]
    assert {step.message for step in series.steps} <= {m.name for m in Catalog.load()}


def test_the_example_of_a_message_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "evening-stroll"
    folder.mkdir()
    guide = "how-to/add-a-message.md"
    (folder / "message.toml").write_text(block(guide, "toml"), "utf-8")
    (folder / "en.jinja").write_text(block(guide, "jinja"), "utf-8")
    catalog = Catalog.load(tmp_path)
    text = Renderer(catalog).sms("evening-stroll", "en", sample_context("en"))
    assert text.segments == 1


@pytest.mark.parametrize("variable", sample_context("en"))
def test_each_variable_of_a_message_is_documented(variable: str) -> None:
    assert f"`{variable}`" in page("how-to/add-a-message.md")


def block(name: str, language: str) -> str:
    """The first code block of a page in a language."""
    found = re.search(rf"^( *)```{language}\n(.*?)^ *```$", page(name), re.MULTILINE | re.DOTALL)
    assert found
    return textwrap.dedent(found[2])


def test_every_rule_of_understanding_is_documented_and_no_other_is() -> None:
    rows = re.findall(
        r"^\| `(\w+\.\w+)` \| `(\w+)` \|", page("reference/understanding.md"), re.MULTILINE
    )
    names = ("opt_out", "leaving", "plainly", "refusing", "spanish", "stranger")
    leaving = dict.fromkeys(names, "opt_out")
    files = leaving | {"answers": ""}
    files |= {"check_in": "check_in", "urgent": "urgent"}
    rules = [rule for file, intent in files.items() for rule in rules_of(file, intent).rules]
    learned = [(f"{PREFIX}{intent}", intent) for intent in ALIKE]
    assert rows == [*((rule.name, rule.intent) for rule in rules), *learned]
