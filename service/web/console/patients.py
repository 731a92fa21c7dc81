"""The list of patients, and the search; what is typed is in no address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Form
from starlette.responses import Response

from schedules.calendar import zone_of
from schedules.delivery import State
from service.clock import from_ms
from service.errors import InvalidInput
from service.staff.finding import Found, People
from service.store.records import Status
from service.web.console.access import SeesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.timeline_shown import titles
from service.web.when import spoken_day

router = console_router()

TONES: Final[Mapping[Status, str]] = {
    Status.ACTIVE: "good",
    Status.PAUSED: "care",
    Status.PENDING: "care",
    Status.OPTED_OUT: "bad",
    Status.UNREACHABLE: "bad",
    Status.COMPLETED: "quiet",
    Status.MOVED: "quiet",
}
_LONGEST_CURSOR: Final = 2000


@router.get("/patients")
def list_patients(visit: SeesPatients, after: str = "") -> Response:
    """Show the newest patients, a page of them."""
    people = visit.core.finding.newest(visit.member.clinics, after[:_LONGEST_CURSOR])
    return _page(visit, people)


@router.post("/patients/search")
def find_patients(
    visit: SeesPatients,
    query: Annotated[str, Form(max_length=400)] = "",
    after: Annotated[str, Form(max_length=_LONGEST_CURSOR)] = "",
) -> Response:
    """Find patients by what was typed."""
    try:
        people = visit.core.finding.search(query, visit.member.clinics, after)
    except InvalidInput as fault:
        newest = visit.core.finding.newest(visit.member.clinics)
        return _page(visit, newest, query, fault=fault)
    return _page(visit, people, query)


def _page(
    visit: Visit, people: People, query: str = "", fault: InvalidInput | None = None
) -> Response:
    return visit.page(
        "patients",
        422 if fault else 200,
        query=query,
        by=people.by,
        cursor=people.cursor,
        rows=_rows(visit, people.found),
        faults=visit.faults(fault),
    )


def _rows(visit: Visit, found: Sequence[Found]) -> list[dict[str, Any]]:
    say = visit.say("patients")
    outcomes = visit.say("timeline")
    title = titles(visit.core.renderer.blocks, visit.language)
    rows = []
    for each in found:
        clinic = visit.core.clinics.get(each.contact.clinic)
        status = each.status
        row = {
            "id": each.contact.id,
            "name": each.contact.given_name or say["nameless"],
            "clinic": clinic.name if clinic else each.contact.clinic,
            "status": say[f"status_{status.word if status else 'none'}"],
            "tone": TONES[status] if status else "quiet",
            "last": "",
            "outcome": "",
        }
        if each.last is not None:
            at = from_ms(each.last.at_ms).astimezone(zone_of(each.contact.timezone))
            row["last"] = f"{title(each.last.message)}, {spoken_day(at.date(), visit.language)}"
            row["outcome"] = outcomes[f"outcome_{State.from_code(each.last.state).value}"]
        rows.append(row)
    return rows
