"""A row is judged as a form is, and everything that is wrong with it is told by its column."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import Catalog
from service.clinics import SAMPLE_CLINIC
from service.enrolment.bulk.cells import day, time_of_day
from service.enrolment.bulk.findings import Rejected
from service.enrolment.bulk.judge import Judge, Problem
from service.enrolment.bulk.letters import is_garbled, is_plausible
from service.enrolment.bulk.seen import Seen
from service.enrolment.bulk.sheet import sheet
from service.enrolment.bulk.table import Table, survey
from service.enrolment.bulk.terms import Terms
from service.enrolment.form import ValidForm
from service.errors import InvalidInput
from service.spreadsheets import unescaped
from tests.support.patient_files import COLUMNS, opens, row, text

CATALOG = Catalog.load()
HILLSIDE = SAMPLE_CLINIC.model_copy(update={"id": "hillside"})
CLINICS = {SAMPLE_CLINIC.id: SAMPLE_CLINIC, "hillside": HILLSIDE}
TERMS = Terms(method="written", wording="2026-11")


def judged(content: str, terms: Terms = TERMS) -> list[ValidForm | tuple[Problem, ...]]:
    surveyed = survey(opens(content), terms, 100)
    judge = Judge(surveyed.header, terms, CLINICS, CATALOG)
    with Table(opens(content), surveyed.scanned.encoding, terms) as table:
        return [judge.judge(record) for record in table]


def good(terms: Terms = TERMS, **cells: str) -> ValidForm:
    (found,) = judged(text(row(**cells)), terms)
    assert isinstance(found, ValidForm), found
    return found


def bad(terms: Terms = TERMS, **cells: str) -> list[tuple[str, str]]:
    (found,) = judged(text(row(**cells)), terms)
    assert not isinstance(found, ValidForm)
    for problem in found:
        assert problem.message[-1].isalnum() or problem.message.endswith((".", ")"))
        for cell in ("phone", "email", "given_name"):
            told = cells.get(cell, "")
            assert len(told) < 4 or told not in problem.message
    return [(problem.column, problem.code) for problem in found]


def test_a_good_row_becomes_what_a_form_becomes() -> None:
    form = good(phone="(503) 555-0142", email="Ana@Example.org", bedtime="10:15 PM")
    assert (form.phone, form.email) == ("+15035550142", "ana@example.org")
    assert form.consents == {"sms": "written", "email": "written"}
    assert (form.bedtime, form.start) == (time(22, 15), date(2026, 11, 22))
    assert (form.wording, form.clinic.id) == ("2026-11", "riverside")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"phone": "4.155551E+10"}, [("phone", "phone_rounded")]),
        ({"phone": '"4,155551E+10"'}, [("phone", "phone_rounded")]),
        ({"phone": "1.50355501420000E+10"}, [("phone", "phone_rounded")]),
        ({"phone": "#########"}, [("phone", "phone_not_a_number")]),
        ({"phone": "5035550142 5035550143"}, [("phone", "phone_too_long")]),
        ({"given_name": ""}, [("given_name", "name_missing")]),
        ({"given_name": "JosÃ©"}, [("given_name", "name_garbled")]),
        ({"given_name": "Jos\ufffd"}, [("given_name", "name_garbled")]),
        ({"given_name": "An\0a"}, [("given_name", "cell_unreadable")]),
        ({"consent": ""}, [("consent", "consent_missing")]),
        ({"consent": "yes"}, [("consent", "consent_unknown")]),
        ({"consent": "no"}, [("consent", "consent_unknown")]),
        ({"consent": "both", "email": ""}, [("consent", "consent_without_address")]),
        ({"consent": "sms", "phone": ""}, [("phone", "address_missing")]),
        ({"consent": "email", "email": ""}, [("email", "address_missing")]),
        ({"clinic": "nowhere"}, [("clinic", "clinic_unknown")]),
        ({"clinic": ""}, [("clinic", "clinic_unknown")]),
        ({"series": ""}, [("series", "series_unknown")]),
        ({"timezone": "EST time"}, [("timezone", "timezone_unknown")]),
        ({"visit_date": "3/2/2026"}, [("visit_date", "date_bad")]),
        ({"visit_date": "46083"}, [("visit_date", "date_bad")]),
        ({"bedtime": "late"}, [("bedtime", "bedtime_bad")]),
        ({"language": "tlh"}, [("language", "language_unknown")]),
        (
            {"given_name": " ", "phone": "911", "email": "ana", "bedtime": "25"},
            [
                ("given_name", "name_missing"),
                ("phone", "phone_too_short"),
                ("email", "email_at_sign"),
                ("bedtime", "bedtime_bad"),
            ],
        ),
    ],
)
def test_everything_that_is_wrong_with_a_row_is_told(
    cells: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert bad(TERMS, **cells) == expected


def test_what_is_told_of_a_cell_is_short_whatever_the_cell_holds() -> None:
    (found,) = judged(text(row(timezone="x" * 30_000, series="y" * 30_000)))
    assert not isinstance(found, ValidForm)
    assert all(len(problem.message) < 400 for problem in found)


def test_an_address_without_consent_is_left_out() -> None:
    assert (good(consent="sms").phone, good(consent="sms").email) == ("+15035550142", None)
    assert (good(consent=" E-Mail ").phone, good(consent="Email").email) == (
        None,
        "ana@example.org",
    )


def test_a_row_with_a_cell_too_many_or_too_few_is_told() -> None:
    line = text(row()).splitlines()[1]
    header = text().strip()
    (long,) = judged(f"{header}\n{line},more\n")
    (short,) = judged(f"{header}\nAna,+15035550142\n")
    assert not isinstance(long, ValidForm)
    assert not isinstance(short, ValidForm)
    assert [problem.code for problem in (*long, *short)] == ["row_too_long", "row_too_short"]
    (fine,) = judged(f"{header}\n{line},,,\n")
    assert isinstance(fine, ValidForm), "separators at the end mean nothing"


def test_cells_that_may_be_empty_may_also_be_missing() -> None:
    columns = [*(c for c in COLUMNS if c != "bedtime"), "bedtime"]
    content = text(row(), columns=columns).replace(",22:30", "")
    (found,) = judged(content)
    assert isinstance(found, ValidForm)
    assert found.bedtime == time(22, 30)


def test_terms_fill_in_what_a_row_does_not_say() -> None:
    terms = Terms(
        clinic="hillside",
        series="sleep-hygiene",
        language="es",
        timezone="America/Denver",
        state="CO",
        method="web",
        wording="7",
        dates="dmy",
    )
    form = good(terms, clinic="", series="", language="", timezone="", visit_date="2/3/2026")
    assert (form.clinic.id, form.series.name, form.language) == ("hillside", "sleep-hygiene", "es")
    assert (form.timezone, form.state, form.start) == ("America/Denver", "CO", date(2026, 3, 2))
    assert good(terms, clinic="riverside").clinic.id == "riverside"


def test_a_clinic_that_may_not_be_seen_is_unknown() -> None:
    terms = Terms(clinics=("hillside",))
    assert bad(terms) == [("clinic", "clinic_unknown")]
    assert good(terms, clinic="").clinic.id == "hillside"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(method="none"), "method"),
        (Terms(method="<b>"), "method"),
        (Terms(wording="?"), "wording"),
        (Terms(clinic="nowhere"), "clinic"),
        (Terms(series="nothing"), "series"),
        (Terms(series="restless-legs", language="tlh"), "language"),
        (Terms(timezone="Mars"), "timezone"),
        (Terms(state="ZZ"), "state"),
        (Terms(encoding="klingon"), "encoding"),
        (Terms(dates="ymd"), "dates"),
    ],
)
def test_terms_that_cannot_be_used_are_refused_once_and_not_by_every_row(
    terms: Terms, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        terms.check(CLINICS, CATALOG)
    assert caught.value.field == field


def test_terms_are_kept_as_they_are() -> None:
    terms = Terms(clinic="riverside", method="written", clinics=("riverside", "hillside"))
    assert Terms.unpack(terms.pack()) == terms


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("10:30 PM", "22:30"),
        ("12:05 am", "0:05"),
        ("12:05 p.m.", "12:05"),
        ("22:30:00", "22:30"),
        ("13:00 PM", "13:00 PM"),
        ("22.30", "22.30"),
        ("", ""),
    ],
)
def test_a_time_as_a_spreadsheet_shows_it_is_understood(cell: str, expected: str) -> None:
    assert time_of_day(cell) == expected


@pytest.mark.parametrize(
    ("cell", "order", "expected"),
    [
        ("2026-03-02 00:00:00", "iso", "2026-03-02"),
        ("3/2/2026", "mdy", "2026-03-02"),
        ("2.3.2026", "dmy", "2026-03-02"),
        ("3/2/2026", "iso", "3/2/2026"),
        ("13/2/2026", "mdy", "13/2/2026"),
        ("3/2/26", "mdy", "3/2/26"),
        ("2026-03-02", "dmy", "2026-03-02"),
    ],
)
def test_a_day_is_never_read_in_an_order_that_nobody_told(
    cell: str, order: str, expected: str
) -> None:
    assert day(cell, order) == expected


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
            min_size=10,
            max_size=10,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_rejected_rows_come_back_as_they_were_when_they_are_imported_again(
    rows: list[list[str]],
) -> None:
    problem = Problem("phone", "phone_invalid", "No such number: check it.")
    rejected = [Rejected(number, (problem,), tuple(c)) for number, c in enumerate(rows, 2)]
    written = "".join(sheet(COLUMNS, rejected))
    surveyed = survey(opens(written), TERMS, 100)
    assert surveyed.header.unknown == ()
    assert set(surveyed.header.places) == set(COLUMNS)
    with Table(opens(written), surveyed.scanned.encoding, TERMS) as table:
        back = [[unescaped(cell) for cell in record.cells[:10]] for record in table]
    assert back == rows


def test_a_phone_with_its_plus_can_be_imported_again_and_is_not_run() -> None:
    rejected = [
        Rejected(7, (Problem("consent", "consent_missing", "Say."),), tuple(row().values()))
    ]
    written = "".join(sheet(tuple(row()), rejected))
    assert "'+15035550142" in written
    (form,) = judged(written)
    assert isinstance(form, ValidForm)
    assert form.phone == "+15035550142"


def test_a_formula_stays_text() -> None:
    cells = tuple(row(given_name='=cmd|" /C calc"!A0').values())
    written = "".join(sheet(tuple(row()), [Rejected(2, (), cells)]))
    assert "'=cmd|" in written
    assert ",=cmd" not in written
    assert '"=cmd' not in written


@pytest.mark.parametrize(
    "name",
    [
        "José",
        "Núñez",
        "Zoë",
        "Müßig",
        "O\u2019Neill",
        "D\u2019Angelo",
        "María\u00a0José",
        "Åsa",
        "Ana",
    ],
)
def test_names_of_the_west_are_plausible(name: str) -> None:
    assert is_plausible(name)
    assert not is_garbled(name)


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850"])
@pytest.mark.parametrize("name", ["José", "Núñez", "García", "Juárez", "Peña", "Jürgen", "Zoë"])
def test_a_name_in_the_encoding_of_another_machine_is_not(name: str, encoding: str) -> None:
    assert not is_plausible(name.encode(encoding).decode("cp1252", "replace"))


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman"])
@pytest.mark.parametrize("name", ["José", "Núñez", "Müller"])
def test_letters_that_were_lost_before_are_recognised(name: str, encoding: str) -> None:
    assert is_garbled(name.encode().decode(encoding))


@given(st.lists(st.integers(0, 500), max_size=300))
def test_a_key_is_found_again_with_the_row_it_was_first_met_in(people: list[int]) -> None:
    seen, first = Seen(300), dict[int, int]()
    for number, person in enumerate(people, 2):
        key = hash(("restless-legs", "ana", person)) & (1 << 64) - 1
        assert seen.find(key) == first.get(key)
        seen.keep(key, number)
        first.setdefault(key, number)
    assert all(seen.find(key) == number for key, number in first.items())


ROWS = st.fixed_dictionaries(
    {
        "given_name": st.sampled_from(["Ana", "Ben", "", "  ", "?" * 4]),
        "phone": st.sampled_from(["503 555 0142", "+15035550143", "12", "", " "]),
        "email": st.sampled_from(["ana@example.org", "Ben@Example.org", "ana@", "", " "]),
        "clinic": st.sampled_from(["riverside", "hillside", "nowhere"]),
        "bedtime": st.sampled_from(["22:30", "10 pm", "late"]),
        "consent": st.sampled_from(["both", "sms", "email", "no"]),
    }
)


@given(st.lists(ROWS, max_size=12))
def test_a_row_is_judged_alike_whatever_rows_stand_before_it(rows: list[dict[str, str]]) -> None:
    filled = [row(**cells) for cells in rows]
    alone = [found for each in filled for found in judged(text(each))]
    assert judged(text(*filled)) == alone


def test_more_kinds_of_rows_than_are_remembered_are_judged_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.enrolment.bulk.judge.MOST_ALIKE", 2)
    times = ["22:00", "22:15", "22:30", "22:00"]
    found = judged(text(*(row(bedtime=each) for each in times)))
    assert [each.bedtime for each in found if isinstance(each, ValidForm)] == [
        time.fromisoformat(each) for each in times
    ]
