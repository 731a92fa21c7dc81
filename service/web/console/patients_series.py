"""What is done about a patient's series: pause, resume, undo a stop, another day, a further one."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from service.enrolment.enrol import AlreadyEnrolled
from service.enrolment.form import read_start
from service.errors import InvalidInput, NotFound
from service.staff.restarting import StopStands
from service.staff.subscriptions import NothingToChange
from service.store.records import Patient, PatientFields, Subscription
from service.web.console.access import ChangesPatients, Visit
from service.web.console.calendar_shown import calendar
from service.web.console.pages import REFUSED, console_router
from service.web.console.patients_enrol import series_of_choice
from service.web.console.patients_shown import heading, person_of, teller_of
from service.web.when import spoken_date

router = console_router()

Text = Annotated[str, Form(max_length=400)]


def change_page(
    visit: Visit,
    patient: Patient,
    what: str,
    fault: InvalidInput | None = None,
    **values: Any,  # noqa: ANN401 - whatever its template takes
) -> Response:
    """The page of one thing that is done for a patient; with what is wrong, where it is."""
    say = visit.say("patient_change")
    return visit.page(
        f"patient_{what}",
        422 if fault else 200,
        patient=patient,
        title=say.get(f"{what}_title", "").format(name=heading(visit, patient)),
        faults=visit.faults(fault),
        **values,
    )


def _concerned(fields: PatientFields, number: int) -> Subscription:
    subscription = fields.subscription(number)
    if subscription is None:
        raise NotFound("The patient has no such subscription.")
    return subscription


@router.get("/patients/{patient}/pause/{number}")
def show_pause(visit: ChangesPatients, patient: str, number: int) -> Response:
    """Ask until when."""
    fields, contact = person_of(visit, patient)
    _concerned(fields, number)
    return change_page(visit, contact, "pause", number=number, until="")


@router.post("/patients/{patient}/pause/{number}")
def pause_series(visit: ChangesPatients, patient: str, number: int, until: Text = "") -> Response:
    """Pause a series, until a day or until it is resumed."""
    fields, contact = person_of(visit, patient)
    series = _concerned(fields, number).series
    try:
        day = read_start(until)
        visit.core.staff.pause(patient, series=series, source=visit.source, until=day)
    except InvalidInput as fault:
        wrong = InvalidInput("until", fault.code, str(fault))
        return change_page(visit, contact, "pause", wrong, number=number, until=until)
    except NothingToChange:
        return visit.to(f"patients/{patient}", done="same")
    return visit.to(f"patients/{patient}", done="paused")


@router.post("/patients/{patient}/resume/{number}")
def resume_series(visit: ChangesPatients, patient: str, number: int) -> Response:
    """Resume a paused series."""
    fields, _ = person_of(visit, patient)
    series = _concerned(fields, number).series
    try:
        visit.core.staff.resume(patient, series=series, source=visit.source)
    except NothingToChange:
        return visit.to(f"patients/{patient}", done="same")
    return visit.to(f"patients/{patient}", done="resumed")


@router.post("/patients/{patient}/restart/{number}")
def restart_series(visit: ChangesPatients, patient: str, number: int) -> Response:
    """Undo a stop that staff made by mistake; where it stands, say why."""
    person_of(visit, patient)
    try:
        visit.core.restarting.restart(patient, number, source=visit.source)
    except StopStands as stands:
        word = "same" if stands.why == "going" else f"{REFUSED}{stands.why}"
        return visit.to(f"patients/{patient}", done=word)
    return visit.to(f"patients/{patient}", done="restarted")


@router.get("/patients/{patient}/move/{number}")
def show_move(visit: ChangesPatients, patient: str, number: int) -> Response:
    """Ask for another first day."""
    fields, contact = person_of(visit, patient)
    begins = _concerned(fields, number).start.isoformat()
    return change_page(visit, contact, "move", number=number, start=begins, rows=[], day="")


@router.post("/patients/{patient}/move/{number}")
def move_series(
    visit: ChangesPatients, patient: str, number: int, start: Text = "", sure: Text = ""
) -> Response:
    """Show what would come, and when; where that was seen, do it."""
    _, contact = person_of(visit, patient)
    try:
        day = _given(start)
        if sure:
            visit.core.moving.move(patient, number, day, source=visit.source)
            return visit.to(f"patients/{patient}", done="moved")
        moved = visit.core.moving.preview(patient, number, day)
    except InvalidInput as fault:
        return change_page(
            visit, contact, "move", fault, number=number, start=start, rows=[], day=""
        )
    except NothingToChange:
        return visit.to(f"patients/{patient}", done="same")
    teller = teller_of(visit, contact)
    shown = spoken_date(day, visit.language)
    rows = [teller.line(line) for line in moved.coming]
    return change_page(visit, contact, "move", number=number, start=start, rows=rows, day=shown)


def _given(text: str) -> date:
    day = read_start(text)
    if day is None:
        raise InvalidInput("start", "date_bad", "Give the day.")
    return day


@router.get("/patients/{patient}/series")
def show_series(visit: ChangesPatients, patient: str) -> Response:
    """Ask for a series, and its first day."""
    _, contact = person_of(visit, patient)
    return _series(visit, contact, "", "")


@router.post("/patients/{patient}/series")
def add_series(
    visit: ChangesPatients, patient: str, series: Text = "", start: Text = "", sure: Text = ""
) -> Response:
    """Show what would come; where that was seen, put the patient in the series."""
    _, contact = person_of(visit, patient)
    try:
        if sure:
            visit.core.enrolling.add(patient, series, start, source=visit.source)
            return visit.to(f"patients/{patient}", done="added")
        outlook = visit.core.enrolling.further(patient, series, start, visit.member.clinics)
    except AlreadyEnrolled as fault:
        if sure:  # a double click
            return visit.to(f"patients/{patient}", done="added")
        return _series(visit, contact, series, start, fault)
    except InvalidInput as fault:
        return _series(visit, contact, series, start, fault)
    rows = calendar(visit, teller_of(visit, contact), outlook.calendar)
    return _series(visit, contact, series, start, rows=rows)


def _series(
    visit: Visit,
    contact: Patient,
    chosen: str,
    start: str,
    fault: InvalidInput | None = None,
    rows: list[dict[str, Any]] | None = None,
) -> Response:
    return change_page(
        visit,
        contact,
        "series",
        fault,
        choices=series_of_choice(visit),
        chosen=chosen,
        start=start,
        rows=rows or [],
    )
