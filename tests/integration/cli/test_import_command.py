"""`aftervisit import`: what it answers, where it writes, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell
from tests.support.patient_files import patient, row, text

GOOD_TERMS = ("--method", "written", "--wording", "2026-11")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "march.csv"
    bad = [row(phone="4.155551E+10"), row(given_name="", consent="maybe")]
    path.write_text(text(patient(1), *bad, patient(1), patient(2)), encoding="utf-8")
    return path


def ids(shell: Shell) -> list[str]:
    with shell.core() as core:
        return list(core.patients.identifiers())


def test_it_answers_in_json_as_agreed(shell: Shell, file: Path) -> None:
    ran = shell("import", str(file), "--json", *GOOD_TERMS)
    assert ran.code == 0, ran.err
    answer = ran.answer
    assert (answer["rows"], answer["accepted"], answer["duplicates"]) == (5, 2, 1)
    assert [(each["row"], each["column"], each["code"]) for each in answer["rejected"]] == [
        (3, "phone", "phone_rounded"),
        (4, "consent", "consent_unknown"),
    ]
    assert all(each["message"] for each in answer["rejected"])
    assert [each["code"] for each in answer["rejected"][1]["problems"]] == [
        "consent_unknown",
        "name_missing",
    ]
    assert ran.err == ""
    assert len(ids(shell)) == 2


def test_a_dry_run_says_the_same_and_enrols_nobody(shell: Shell, file: Path) -> None:
    dry = shell("import", str(file), "--json", "--dry-run").answer
    assert ids(shell) == []
    wet = shell("import", str(file), "--json", *GOOD_TERMS).answer
    same = ("rows", "accepted", "duplicates", "rejected", "repeated")
    assert {name: dry[name] for name in same} == {name: wet[name] for name in same}


def test_it_tells_a_person_what_became_of_the_file(shell: Shell, file: Path) -> None:
    ran = shell("import", str(file), *GOOD_TERMS)
    assert "5 rows: 2 enrolled, 1 duplicates, 2 rejected." in ran.out
    assert "row 3  phone: A spreadsheet has rounded" in ran.out
    assert "row 4  given_name: Give the patient's given name." in ran.out
    again = shell("import", str(file), *GOOD_TERMS)
    assert "5 rows: 0 enrolled, 3 duplicates, 2 rejected." in again.out
    assert "This very file was imported on" in again.err


def test_without_word_of_how_they_agreed_it_warns_and_says_so_in_the_evidence(
    shell: Shell, file: Path
) -> None:
    ran = shell("import", str(file))
    assert "Give --method and --wording." in ran.err
    patient_id = ids(shell)[0]
    consents = shell("patients", "show", patient_id, "--json").answer["consents"]
    assert {(c["method"], c["wording"]) for c in consents} == {("import", "not-stated")}


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_rejected_rows_go_to_a_file_that_can_be_imported(
    shell: Shell, file: Path, tmp_path: Path, dry: tuple[str, ...]
) -> None:
    rejected = tmp_path / "rejected.csv"
    shell("import", str(file), "--rejected", str(rejected), *GOOD_TERMS, *dry)
    written = rejected.read_text("utf-8-sig")
    assert written.splitlines()[0].endswith(",consent,row,reasons")
    assert len(written.splitlines()) == 3
    rejected.write_text(written.replace("4.155551E+10", "4155550101"), encoding="utf-8")
    again = shell("import", str(rejected), "--json", *GOOD_TERMS)
    assert again.answer["accepted"] == 1
    assert again.answer["unknown_columns"] == []


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"PK\x03\x04 and so on", (), "file_is_workbook"),
        (text(row(given_name="José")).encode("mac_roman"), (), "file_encoding"),
        (text(row(), columns=["phone", "consent"]).encode(), (), "column_missing"),
        (text(row()).encode(), ("--method", "refused"), "consent_missing"),
        (text(row()).encode(), ("--series", "nothing"), "series_unknown"),
        (text(*(patient(n) for n in range(4))).encode(), (), "too_many_rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_and_leaves_no_trace(
    shell: Shell, tmp_path: Path, content: bytes, options: tuple[str, ...], code: str
) -> None:
    shell.set(IMPORT_ROWS="3")
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    ran = shell("import", str(path), "--json", *options)
    assert ran.failed(2)
    assert ran.answer["error"]["code"] == code
    with shell.core() as core:
        assert core.imports.latest() == []


def test_a_file_that_is_not_there_is_told(shell: Shell, tmp_path: Path) -> None:
    assert shell("import", str(tmp_path / "none.csv")).code == 2


def test_unknown_columns_are_warned_of(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(text(row() | {"Notes": "x"}, columns=[*row(), "Notes"]), encoding="utf-8")
    ran = shell("import", str(path), "--json", *GOOD_TERMS)
    assert ran.err.splitlines() == ["The column Notes is not read."]
    assert ran.answer["unknown_columns"] == ["Notes"]


def test_nothing_of_a_patient_is_in_what_it_says(shell: Shell, file: Path) -> None:
    ran = shell("import", str(file), *GOOD_TERMS)
    for told in ("Pat1", "5032000001", "patient1@", "ana@example.org"):
        assert told not in ran.out + ran.err
