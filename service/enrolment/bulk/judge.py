"""Each row of a file, judged by the very rules that a form is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from messages.catalog import Catalog
from service.clinics import Clinic
from service.enrolment.bulk.cells import day, time_of_day
from service.enrolment.bulk.header import Header
from service.enrolment.bulk.letters import is_garbled
from service.enrolment.bulk.table import Record
from service.enrolment.bulk.terms import Terms
from service.enrolment.form import EnrolmentForm, ValidForm, judge, judge_person
from service.errors import InvalidInput
from service.spreadsheets import unescaped
from service.store.records import CHANNELS, Channel

_CONSENTS: Final[Mapping[str, tuple[Channel, ...]]] = {
    "sms": ("sms",),
    "email": ("email",),
    "e-mail": ("email",),
    "both": ("sms", "email"),
}
MOST_ALIKE: Final = 4096
"""Kinds of rows that are remembered."""
LONGEST: Final = 300
"""Letters of what is told about one cell."""
_COLUMN_OF: Final = {"start": "visit_date", "sms_consent": "consent", "email_consent": "consent"}
_MAY_BE_EMPTY: Final = frozenset(
    {"phone", "email", "language", "bedtime", "visit_date", "clinic", "state"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a row; it repeats nothing of the patient.

    Attributes:
        column: of the file; empty for the whole row.
        code: a stable word for programs.
        message: what to do.
    """

    column: str
    code: str
    message: str


class Judge:
    """Judges the rows of one file."""

    def __init__(
        self, header: Header, terms: Terms, clinics: Mapping[str, Clinic], catalog: Catalog
    ) -> None:
        self._header = header
        self._terms = terms.filled()
        self._clinics = terms.visible(clinics)
        self._catalog = catalog
        self._valid: dict[tuple[str | bool, ...], ValidForm] = {}

    def judge(self, record: Record) -> ValidForm | tuple[Problem, ...]:
        """The row as it would be enrolled, or everything that is wrong with it."""
        shape = self._shape(record)
        if shape:
            return shape
        form, problems = self._form(record)
        judged = self._judged(form)
        if isinstance(judged, ValidForm):
            return problems or judged
        told = {problem.column for problem in problems}
        found = (self._told(fault, form) for fault in judged)
        return (*problems, *(problem for problem in found if problem.column not in told))

    def _judged(self, form: EnrolmentForm) -> ValidForm | tuple[InvalidInput, ...]:
        """A form, judged; rows that differ in the person alone are most of a file."""
        said = (
            *(form.clinic, form.series, form.timezone, form.language, form.state, form.bedtime),
            *(form.start, form.sms_consent, form.email_consent, form.wording),
            *(not form.phone.strip(), not form.email.strip()),
        )
        like = self._valid.get(said)
        if like is not None:
            return judge_person(form, like)
        judged = judge(form, self._clinics, self._catalog)
        if isinstance(judged, ValidForm):
            if len(self._valid) >= MOST_ALIKE:
                self._valid.clear()
            self._valid[said] = judged
        return judged

    def _told(self, fault: InvalidInput, form: EnrolmentForm) -> Problem:
        """A fault of a form, by the column that it is in."""
        column = _COLUMN_OF.get(fault.field, fault.field)
        if fault.code == "address_missing" and form.email_consent and not form.sms_consent:
            column = "email"
        message = str(fault)
        if len(message) > LONGEST:  # it names a cell of which nobody knows what it is
            message = message[:LONGEST] + "..."
        return Problem(column, fault.code, message)

    def _shape(self, record: Record) -> tuple[Problem, ...]:
        """What is wrong with the row before any of its cells is looked at."""
        width = self._header.width
        if any(cell.strip() for cell in record.cells[width:]):
            return (
                Problem(
                    "",
                    "row_too_long",
                    f"The row has {record.told} cells, the header {width}: put quotation marks "
                    f"around a cell that holds the separator.",
                ),
            )
        if record.told < width:
            places = self._header.places
            lost = [c for c, place in places.items() if place >= record.told]
            if not _MAY_BE_EMPTY.issuperset(self._undefaulted(lost)):
                return (
                    Problem(
                        "",
                        "row_too_short",
                        f"The row has {record.told} cells, the header {width}: see whether a line "
                        f"break has cut it in two.",
                    ),
                )
        return tuple(
            Problem(column, "cell_unreadable", "The cell holds a zero byte: type it again.")
            for column, place in self._header.places.items()
            if "\0" in record.cells[place]
        )

    def _undefaulted(self, columns: list[str]) -> list[str]:
        return [column for column in columns if not getattr(self._terms, column, "")]

    def _form(self, record: Record) -> tuple[EnrolmentForm, tuple[Problem, ...]]:
        places, terms = self._header.places, self._terms

        def cell(column: str) -> str:
            place = places.get(column)
            return "" if place is None else unescaped(record.cells[place])

        problems: list[Problem] = []
        name, told = cell("given_name"), cell("consent").strip().casefold()
        if is_garbled(name):
            said = "The letters of this name were lost on the way here: type it again."
            problems.append(Problem("given_name", "name_garbled", said))
        channels = _CONSENTS.get(told, CHANNELS)
        known = told in _CONSENTS  # else what is there is judged as if it were agreed to
        if not known:
            said = "Say which the patient agreed to: sms, email or both. Without consent nobody "
            code = "consent_unknown" if told else "consent_missing"
            problems.append(Problem("consent", code, f"{said}is written to."))
        phone = cell("phone") if "sms" in channels else ""
        email = cell("email") if "email" in channels else ""
        agreed = {
            "sms": terms.method if "sms" in channels and (known or phone.strip()) else "",
            "email": terms.method if "email" in channels and (known or email.strip()) else "",
        }
        form = EnrolmentForm(
            clinic=cell("clinic") or terms.clinic,
            given_name=name,
            series=cell("series") or terms.series,
            timezone=cell("timezone") or terms.timezone,
            phone=phone,
            email=email,
            language=cell("language").strip() or terms.language,
            state=cell("state") or terms.state,
            bedtime=time_of_day(cell("bedtime")),
            start=day(cell("visit_date"), terms.dates),
            sms_consent=agreed["sms"],
            email_consent=agreed["email"],
            wording=terms.wording,
        )
        return form, tuple(problems)
