"""One patient: who, how they are reached, what they get, and what happened of late."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import JSONResponse, Response

from service.preferences.overview import Overview
from service.web.console.access import ChangesPatients, SeesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.patients_shown import card, person_of, teller_of
from service.web.when import spoken_date

router = console_router()


@router.get("/patients/{patient}")
def show_patient(visit: SeesPatients, patient: str, until: str = "") -> Response:
    """Show a patient; that they were looked at is noted."""
    fields, _ = person_of(visit, patient)
    core = visit.core
    core.audit.note_seen(patient, visit.source)
    coming = [line for line in core.explain.explain(patient) if line.ended is None and line.due]
    view = core.overviews.of(fields, visit.language)
    return visit.page("patient", **card(visit, view, coming), **_happened(visit, view, until))


def _happened(visit: Visit, view: Overview, until: str) -> dict[str, Any]:
    """The timeline's page, and where those before and after it are."""
    patient = view.patient
    stretch = visit.core.timeline.of(patient.id, _day(until))
    teller, say = teller_of(visit, patient, view), visit.say("patient")
    where = f"patients/{patient.id}?until="
    return {
        "told": [teller.told(each) for each in stretch.told],
        "days": say["happened_from"].format(
            first=spoken_date(stretch.first, visit.language),
            last=spoken_date(stretch.last, visit.language),
        ),
        "older": f"{where}{stretch.older}" if stretch.older else "",
        "newer": f"{where}{stretch.newer}" if stretch.newer else "",
    }


def _day(text: str) -> date | None:
    """A day of an address; None where it is none: then the newest page is shown."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@router.post("/patients/{patient}/export")
def export_patient(visit: ChangesPatients, patient: str) -> Response:
    """All that is held about a patient, as a file."""
    person_of(visit, patient)
    visit.core.audit.note_exported(patient, visit.source)
    headers = {
        "Content-Disposition": f'attachment; filename="patient-{patient}.json"',
        "Cache-Control": "no-store",
    }
    return JSONResponse(visit.core.holdings.of(patient), headers=headers)
