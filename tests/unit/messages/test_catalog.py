import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from messages.catalog import Catalog, Message, guide_sections
from messages.errors import CatalogFault, ContentError, UnknownLanguage, UnknownMessage
from tests.unit.messages.conftest import EN, TOML, WriteMessage


def test_a_message_is_its_folder(write: WriteMessage, root: Path) -> None:
    write("evening-walk", en=EN, es=EN)
    assert Catalog.load(root)["evening-walk"] == Message(
        name="evening-walk",
        strand="lifestyle",
        topic="walking",
        sources=("feet:lifestyle-strategies",),
        reviewed=date(2026, 11, 21),
        languages=("en", "es"),
    )


def test_messages_come_sorted_by_name(write: WriteMessage, root: Path) -> None:
    for name in ("walking", "alcohol", "yoga"):
        write(name)
    catalog = Catalog.load(root)
    assert [message.name for message in catalog] == ["alcohol", "walking", "yoga"]
    assert len(catalog) == 3
    assert "yoga" in catalog
    assert "judo" not in catalog


def test_a_template_is_kept_as_written(write: WriteMessage, root: Path) -> None:
    write("walking", en=EN)
    assert Catalog.load(root).template("walking", "en") == EN


def test_what_is_not_there_is_named_with_what_to_do(write: WriteMessage, root: Path) -> None:
    write("walking")
    catalog = Catalog.load(root)
    with pytest.raises(UnknownMessage, match=r"There is no message 'judo'.*messages list"):
        catalog["judo"]
    with pytest.raises(UnknownMessage):
        catalog.template("judo", "en")
    with pytest.raises(UnknownLanguage, match="not written in 'fr', only in en") as caught:
        catalog.template("walking", "fr")
    assert caught.value.languages == ("en",)
    assert isinstance(caught.value, ContentError)


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        (None, "message.toml: is missing"),
        ("strand =", "message.toml: is not TOML"),
        (TOML.replace("strand", "starnd"), "starnd is not a known field"),
        (TOML.replace("strand", "starnd"), "strand is missing"),
        (TOML + "author = 'x'\n", "author is not a known field"),
        (TOML.replace("lifestyle", "marketing", 1), "strand must be one of lifestyle, sleep"),
        (TOML.replace('"walking"', '"Walking!"'), "topic must be a short slug"),
        (TOML.replace('"walking"', "7"), "topic must be a short slug"),
        (TOML.replace('["feet:lifestyle-strategies"]', '"feet:symptoms"'), "sources must be"),
        (TOML.replace('["feet:lifestyle-strategies"]', "[1]"), "sources must be a list"),
        (TOML.replace('["feet:lifestyle-strategies"]', '["a:b", "a:b"]'), "a section twice"),
        (TOML.replace("2026-11-21", '"2026-11-21"'), "reviewed must be a date"),
        (TOML.replace("2026-11-21", "2026-11-21T10:00:00Z"), "reviewed must be a date"),
        (TOML + 'policy = ""\n', "policy must be text"),
        (TOML + "two_segments = true\n", "two_segments must be text"),
    ],
)
def test_a_folder_that_breaks_the_format_is_refused(
    write: WriteMessage, root: Path, toml: str | None, fault: str
) -> None:
    write("walking", toml)
    with pytest.raises(CatalogFault) as caught:
        Catalog.load(root)
    assert fault in str(caught.value)


def test_every_fault_of_every_folder_is_listed_at_once(write: WriteMessage, root: Path) -> None:
    write("walking", TOML + "author = 'x'\n")
    write("Bad_Name")
    (write("notes") / "draft.txt").write_text("x")
    (write("latin") / "en.jinja").write_bytes(b"\xff\xfe")
    (root / "empty").mkdir()
    (root / "stray.txt").write_text("x")
    with pytest.raises(CatalogFault) as caught:
        Catalog.load(root)
    assert {where for where, _ in caught.value.faults} == {
        "walking/message.toml",
        "Bad_Name",
        "notes/draft.txt",
        "latin/en.jinja",
        "latin",
        "empty",
        "empty/message.toml",
        "stray.txt",
    }


def test_an_editors_hidden_files_are_no_faults(write: WriteMessage, root: Path) -> None:
    (write("walking") / ".en.jinja.swp").write_text("x")
    (root / ".DS_Store").write_text("x")
    assert len(Catalog.load(root)) == 1


def test_the_index_of_the_guide_has_unique_titles_for_each_guide() -> None:
    sections = guide_sections()
    assert {section.partition(":")[0] for section in sections} == {"feet", "reasons"}
    assert sections["feet:symptoms"]
    assert all(title.strip() for title in sections.values())


@pytest.mark.parametrize("module", ["messages.catalog", "messages.render", "messages.addresses"])
def test_importing_a_module_leaves_the_slow_libraries_for_when_they_are_needed(
    module: str,
) -> None:
    code = (
        f"import sys, {module}; slow = {{'phonenumbers', 'email_validator', 'css_inline'}}; "
        "print(*slow & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
