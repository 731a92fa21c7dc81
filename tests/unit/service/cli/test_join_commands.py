from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from service.enrolment.wordings import versions
from tests.unit.service.cli.conftest import Run, error_of


def test_the_poster_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "poster.pdf"
    answer = run("join", "poster", "--clinic", "riverside", "-o", str(out), "--json").answer
    assert answer["url"].endswith("/join/riverside")
    assert out.read_bytes().startswith(b"%PDF-")


def test_the_poster_can_be_a_drawing_in_spanish_on_a4(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "poster.svg"
    wanted = ("--language", "es", "--paper", "a4", "--format", "svg", "-o", str(out))
    assert run("join", "poster", *wanted).code == 0
    root = ET.fromstring(out.read_text("utf-8"))  # noqa: S314 - our own
    assert root.attrib["lang"] == "es"
    assert root.attrib["width"].startswith("595")


def test_a_poster_of_no_clinic_is_refused(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "poster.pdf"
    ran = run("join", "poster", "--clinic", "nowhere", "-o", str(out), "--json")
    assert ran.code == 2
    assert error_of(ran)["code"] == "clinic_unknown"
    assert not out.exists()


def test_the_wordings_are_listed_the_newest_last(run: Run) -> None:
    rows = run("wordings", "list", "--json").answer
    assert [row["version"] for row in rows] == list(versions())
    assert versions()[-1] in run("wordings", "list").out


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_wording_is_shown_as_patients_read_it(run: Run, language: str) -> None:
    shown = run("wordings", "show", "2026-11", "--language", language, "--json").answer
    assert shown["wording"] == f"2026-11/{language}"
    assert "Riverside Clinic" in shown["sms"]
    assert len(shown["disclosures"]) == 7
    assert shown["sms"] in run("wordings", "show", "--language", language).out


def test_an_unknown_wording_is_refused(run: Run) -> None:
    ran = run("wordings", "show", "1999-01")
    assert ran.code == 1
    assert "2026-11" in ran.err
