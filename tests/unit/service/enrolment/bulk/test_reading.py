"""Files as spreadsheets and people make them: read as they were meant, or refused with a remedy."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.enrolment.bulk.header import COLUMNS as KNOWN
from service.enrolment.bulk.header import separator_of
from service.enrolment.bulk.table import Record, Survey, Table, survey
from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput
from tests.support.patient_files import COLUMNS, opens, patient, row, text

TERMS = Terms()
MOST = 1_000


def read(content: str | bytes, terms: Terms = TERMS) -> tuple[Survey, list[Record]]:
    surveyed = survey(opens(content), terms, MOST)
    with Table(opens(content), surveyed.scanned.encoding, terms) as table:
        return surveyed, list(table)


def names(content: str | bytes, terms: Terms = TERMS) -> list[tuple[int, str]]:
    surveyed, records = read(content, terms)
    place = surveyed.header.places["given_name"]
    return [(record.number, record.cells[place]) for record in records]


def refused(content: str | bytes, terms: Terms = TERMS) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        survey(opens(content), terms, MOST)
    assert caught.value.field == "file"
    assert str(caught.value)[-1] in ".:"
    assert "\n" not in str(caught.value)
    return caught.value


JOSE = row(given_name="José Núñez")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_file_is_read_in_whatever_way_it_was_saved(
    encoding: str, separator: str, end: str
) -> None:
    content = text(JOSE, patient(1), separator=separator, end=end).encode(encoding)
    assert names(content) == [(2, "José Núñez"), (3, "Pat1")]


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp1251", "cp1250", "shift_jis"])
def test_letters_that_cannot_be_told_for_certain_are_never_guessed(encoding: str) -> None:
    spoken = {"cp1251": "Катя", "cp1250": "Dvořák", "shift_jis": "花子"}
    content = text(row(given_name=spoken.get(encoding, "José"))).encode(encoding)
    assert refused(content).code == "file_encoding"
    if encoding in {"mac_roman", "cp850", "cp1250"}:
        told = Terms(encoding=encoding)
        assert names(content, told) == [(2, spoken.get(encoding, "José"))]


def test_a_byte_that_is_no_letter_in_the_encoding_it_says_is_refused() -> None:
    content = codecs.BOM_UTF8 + text(JOSE).encode("cp1252")
    assert refused(content).code == "file_encoding"
    assert refused(text(JOSE).encode("utf-16")[:-1]).code == "file_encoding"


def test_only_names_say_in_which_encoding_a_file_may_be() -> None:
    header = [*COLUMNS, "última visita"]
    content = text(JOSE | {"última visita": "ayer, ¡útil!"}, columns=header, separator=";")
    assert names(content.encode("cp1252")) == [(2, "José Núñez")]


def test_rows_are_numbered_as_the_spreadsheet_numbers_them() -> None:
    lines = text(
        *(row(given_name="One"), row(given_name='"Two\r\nand a half"'), row(given_name="Three"))
    )
    first, second, rest = lines.partition("One")
    content = "\r\n" + first + second + rest.replace("Three", ",,,,,\r\nThree")
    assert [number for number, _ in names(content)] == [3, 4, 6]
    gaps = (
        text(row(given_name="One")) + "\r\n,,,,,,,,,\r\n  ,\r\n" + text(patient(7)).split("\n")[1]
    )
    assert names(gaps) == [(2, "One"), (6, "Pat7")]


def test_excels_own_line_about_the_separator_is_no_row() -> None:
    assert names("sep=;\r\n" + text(JOSE, separator=";")) == [(2, "José Núñez")]
    assert names("sep=|\r\n" + text(JOSE, separator="|")) == [(2, "José Núñez")]


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("Given Name", "given_name"),
        ("GIVEN-NAME ", "given_name"),
        ("givenname", "given_name"),
        ("E-mail", "email"),
        ("Time Zone", "timezone"),
        (" Visit_Date", "visit_date"),
        ("Bed time", "bedtime"),
    ],
)
def test_a_column_is_known_in_whatever_case_and_spacing(written: str, column: str) -> None:
    header = [written if name == column else name for name in reversed(COLUMNS)]
    assert names(text(JOSE | {written: JOSE[column]}, columns=header)) == [(2, "José Núñez")]


def test_unknown_columns_are_told_and_not_read() -> None:
    surveyed, _ = read(text(JOSE | {"Notes": "x"}, columns=[*COLUMNS, "Notes", "row", "reasons"]))
    assert surveyed.header.unknown == ("Notes",)


@pytest.mark.parametrize(
    ("columns", "code", "told"),
    [
        (["given_name", "phone", "timezone", "series"], "column_missing", "consent"),
        (["given_name", "timezone", "series", "consent"], "column_missing", "phone or email"),
        (["given_name", "phone", "consent", "series"], "column_missing", "--timezone"),
        ([*COLUMNS, "E-Mail"], "column_twice", "email"),
        (["Ana", "5035550142", "sms"], "header_missing", "first row"),
        (["a"], "header_missing", "first row"),
    ],
)
def test_a_header_that_lacks_something_says_what(columns: list[str], code: str, told: str) -> None:
    error = refused(text(JOSE, columns=columns))
    assert error.code == code
    assert told in str(error)


def test_what_is_told_for_the_whole_file_needs_no_column() -> None:
    columns = ["given_name", "phone", "consent"]
    terms = Terms(series="restless-legs", timezone="America/New_York")
    assert names(text(JOSE, columns=columns), terms) == [(2, "José Núñez")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \r\n\r\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "file_is_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file_is_workbook"),
        (b"%PDF-1.7", "file_is_pdf"),
        (b"\x1f\x8b\x08\x00", "file_is_compressed"),
        (b"<html><table>", "file_is_markup"),
        (b"{\\rtf1", "file_is_rtf"),
    ],
)
def test_what_is_no_table_is_recognised_and_told(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_a_workbook_that_somebody_named_csv_is_told_how_to_be_saved() -> None:
    assert "CSV UTF-8" in str(refused(b"PK\x03\x04"))


def test_a_quotation_that_is_not_closed_is_refused_and_swallows_no_row_in_silence() -> None:
    content = text(row(given_name='"Ana'), *(patient(n) for n in range(20)))
    error = refused(content)
    assert error.code == "quotation_open"
    assert "Row 2" in str(error)
    closed_by_another = text(row(given_name='"Ana'), patient(1), row(given_name='"Bo"'), patient(2))
    assert refused(closed_by_another).code == "quotation_open"


def test_a_cell_without_an_end_is_refused() -> None:
    content = text(row(given_name='"' + "x" * 200_000))
    assert refused(content).code == "quotation_open"


def test_a_file_with_too_many_rows_is_refused_with_the_cap() -> None:
    content = text(*(patient(number) for number in range(MOST + 1)))
    error = refused(content)
    assert error.code == "too_many_rows"
    assert "1,000" in str(error)
    assert "AFTERVISIT_IMPORT_ROWS" in str(error)


def test_nothing_of_a_row_is_repeated_where_a_file_is_refused() -> None:
    content = text(row(given_name="Jos\u017d")).encode("cp1252")
    assert "Jos" not in str(refused(content))


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_cell_comes_out_as_it_went_in(
    rows: list[list[str]], separator: str, encoding: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["given_name", "phone", "consent"])
    writer.writerows(rows)
    terms = Terms(series="restless-legs", timezone="UTC")
    _, records = read(written.getvalue().encode(encoding), terms)
    expected = [
        (number, cells) for number, cells in enumerate(rows, 2) if any(c.strip() for c in cells)
    ]
    assert [(record.number, record.cells) for record in records] == expected


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        surveyed = survey(opens(content), TERMS, MOST)
    except InvalidInput as error:
        assert error.field == "file"  # noqa: PT017 - either outcome is right
    else:
        assert set(surveyed.header.places) <= set(KNOWN)


@given(st.permutations(KNOWN), st.sampled_from(",;\t|"))
def test_a_separator_is_seen_in_the_header(columns: list[str], separator: str) -> None:
    assert separator_of(separator.join(columns)) == separator
