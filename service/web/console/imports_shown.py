"""What the pages of imports show, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from service.enrolment.bulk.findings import Duplicate, Rejected, Tally
from service.enrolment.bulk.first import First
from service.enrolment.bulk.header import COLUMNS
from service.enrolment.bulk.judge import Problem
from service.enrolment.bulk.terms import DATES, ENCODINGS, Terms
from service.enrolment.wordings import versions
from service.enrolment.zones import COMMON, place, zones_of
from service.errors import InvalidInput, NotFound
from service.store.import_records import Import, ImportState
from service.web.console.access import Visit
from service.web.console.clocks import clock_of
from service.web.console.names import Names
from service.web.console.patients_enrol import METHODS, series_of_choice
from service.web.language import words

SHOWN: Final = 100
"""Rows that are shown; all rejected ones are in the file to download."""
OPEN: Final = frozenset({ImportState.RECEIVED, ImportState.CONFIRMED, ImportState.RUNNING})
"""States of which something comes by itself."""
_TONES: Final = {ImportState.DONE: "good", ImportState.FAILED: "bad", ImportState.CHECKED: "care"}


def upload_values(visit: Visit, typed: Mapping[str, str]) -> dict[str, Any]:
    """What the form for a file shows: what was typed, or what is likely."""
    say, methods = visit.say("imports"), words(visit.language)["consent"]
    clinics = visit.clinics
    country = clinics[0].country
    zones = [*COMMON.get(country, ()), *zones_of(country)]
    from_file = ("", say["from_file"])
    usual = {"wording": versions()[-1], "dates": "iso"}
    return {
        "typed": {name: typed.get(name, usual.get(name, "")) for name in (*_FIELDS, *usual)},
        "columns": COLUMNS[:10],
        "clinics": [from_file, *((each.id, each.name) for each in clinics)],
        "series": [from_file, *series_of_choice(visit)],
        "languages": [from_file, *words(visit.language)["languages"].items()],
        "zones": [from_file, *((each, f"{place(each)} ({each})") for each in zones)],
        "methods": [("", say["choose"]), *((each, methods[each]) for each in METHODS)],
        "wordings": [(each, each) for each in reversed(versions())],
        "orders": [(each, say[f"dates_{each}"]) for each in DATES],
        "encodings": [("", say["encoding_found"]), *((each, each) for each in ENCODINGS)],
    }


_FIELDS: Final = ("clinic", "series", "language", "timezone", "method", "encoding")


def wrong(visit: Visit, fault: InvalidInput) -> Mapping[str, str]:
    """What to tell of a file that cannot be used."""
    return {"field": fault.field, "text": _told(visit, fault.code, str(fault))}


def _told(visit: Visit, code: str, message: str) -> str:
    """A fault in the reader's language; what is written in English tells the most."""
    if visit.language == "en":
        return message
    say = visit.say("imports")
    return say.get(f"fault_{code}", visit.say("faults").get(code, message))


def earlier_rows(visit: Visit, earlier: Sequence[Import]) -> list[dict[str, Any]]:
    """Imports in a table, the newest first."""
    names = Names(visit)
    return [
        {"one": one, "tone": _TONES.get(one.state, "quiet"), **_who(visit, one, names)}
        for one in earlier
    ]


def _who(visit: Visit, one: Import, names: Names) -> dict[str, str]:
    return {"by": names.by(one.by) or one.by, "when": clock_of(visit).at(one.at_ms)}


def import_values(visit: Visit, one: Import, first: First | None) -> dict[str, Any]:
    """Everything about one import."""
    say, tally = visit.say("import"), Tally.of(one.tally)
    rejected, duplicates, gone = _first_rows(visit, one)
    left = max(0, one.rows - tally.rows)
    return {
        "one": one,
        "tally": tally,
        "tone": _TONES.get(one.state, "care"),
        "going": one.state in OPEN,
        "checks": one.state is ImportState.RECEIVED,
        "first": first,
        "rejected": rejected,
        "duplicates": duplicates,
        "gone": gone,
        "left": left,
        "percent": int(100 * tally.rows / one.rows) if one.rows else 0,
        "warnings": list(_warnings(visit, one, tally)),
        "confirm": say["enrol_one" if tally.accepted == 1 else "enrol"].format(
            count=f"{tally.accepted:,}"
        ),
        "shown": SHOWN,
        **_who(visit, one, Names(visit)),
    }


def _warnings(visit: Visit, one: Import, tally: Tally) -> Iterator[str]:
    say, terms = visit.say("import"), Terms.unpack(one.terms)
    if one.earlier:
        yield say["same_file"]
    unknown = visit.core.imports.unknown_columns(one)
    if unknown:
        yield say["unknown_columns"].format(columns=", ".join(unknown))
    if tally.shared:
        yield say["shared"].format(count=f"{tally.shared:,}")
    if tally.silent:
        yield say["silent"].format(count=f"{tally.silent:,}")
    if not terms.evidence_told:
        yield say["untold"]


def _first_rows(visit: Visit, one: Import) -> tuple[list[dict[str, Any]], list[Duplicate], bool]:
    """The first rejected rows and duplicates, and whether they are not kept any more."""
    rejected: list[Rejected] = []
    duplicates: list[Duplicate] = []
    if one.state in {ImportState.RECEIVED, ImportState.CONFIRMED, ImportState.RUNNING}:
        return [], [], False
    try:
        for some, twins in visit.core.imports.not_enrolled(one):
            rejected += some
            duplicates += twins
            if len(rejected) >= SHOWN and len(duplicates) >= SHOWN:
                break
    except NotFound:
        return [], [], True
    rows = [
        {"row": each.row, "problems": [_problem(visit, problem) for problem in each.problems]}
        for each in islice(rejected, SHOWN)
    ]
    return rows, duplicates[:SHOWN], False


def _problem(visit: Visit, problem: Problem) -> dict[str, str]:
    return {"column": problem.column, "text": _told(visit, problem.code, problem.message)}
