"""Enrol a patient: the form, what they would get, and only then the enrolment."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Form
from pydantic import BaseModel, Field
from starlette.responses import Response

from schedules.series import list_series
from service.clinics import Clinic
from service.enrolment.enrol import AlreadyEnrolled
from service.enrolment.form import DEFAULT_BEDTIME, EnrolmentForm
from service.enrolment.wordings import versions, wording
from service.enrolment.zones import COMMON, place, zones_of
from service.errors import InvalidInput
from service.staff.enrolling import Outlook
from service.web.console.access import ChangesPatients, Visit
from service.web.console.calendar_shown import calendar
from service.web.console.pages import console_router
from service.web.console.patients_shown import teller_of
from service.web.language import words

router = console_router()

METHODS: Final = ("verbal", "written", "signed", "paper", "phone", "portal")
"""How somebody may have agreed at the desk; words for them stand in ``consent.toml``."""
Short = Annotated[str, Field(max_length=400)]


class Typed(BaseModel):
    """The form as it was typed, in the order of the page; empty where nothing was."""

    clinic: Short = ""
    given_name: Short = ""
    phone: Short = ""
    sms_consent: Short = ""
    email: Short = ""
    email_consent: Short = ""
    wording: Short = ""
    series: Short = ""
    start: Short = ""
    language: Short = ""
    timezone: Short = ""
    state: Short = ""
    bedtime: Short = ""

    @property
    def form(self) -> EnrolmentForm:
        """The same for the use case."""
        return EnrolmentForm(**self.model_dump())


TypedForm = Annotated[Typed, Form()]


@router.get("/patients/new")
def new_patient(visit: ChangesPatients) -> Response:
    """Show an empty form."""
    clinic = visit.clinics[0]
    return _form(
        visit,
        Typed(
            clinic=clinic.id,
            language=visit.language,
            timezone=clinic.timezone or "",
            bedtime=DEFAULT_BEDTIME,
            wording=versions()[-1],
        ),
    )


@router.post("/patients/new")
def change_form(visit: ChangesPatients, typed: TypedForm) -> Response:
    """Show the form with what was typed."""
    return _form(visit, typed)


@router.post("/patients/check")
def check_patient(visit: ChangesPatients, typed: TypedForm) -> Response:
    """Show what would come of a form; nothing is changed."""
    try:
        outlook = visit.core.enrolling.outlook(typed.form, visit.member.clinics)
    except InvalidInput as fault:
        return _form(visit, typed, fault)
    return visit.page("patient_check", typed=typed.model_dump(), **_check(visit, outlook))


@router.post("/patients")
def enrol_patient(visit: ChangesPatients, typed: TypedForm) -> Response:
    """Enrol."""
    try:
        receipt = visit.core.enrolling.enrol(typed.form, visit.member.clinics, source=visit.source)
    except AlreadyEnrolled as fault:  # a double click, or somebody was first
        return visit.to(f"patients/{fault.patient}", done="enrolled")
    except InvalidInput as fault:
        return _form(visit, typed, fault)
    return visit.to(f"patients/{receipt.patient}", done="enrolled")


def _form(visit: Visit, typed: Typed, fault: InvalidInput | None = None) -> Response:
    clinics, order = visit.clinics, list(Typed.model_fields)
    return visit.page(
        "patient_new",
        422 if fault else 200,
        typed=typed.model_dump(),
        clinics=[(each.id, each.name) for each in clinics],
        faults=sorted(visit.faults(fault), key=lambda each: order.index(each["field"])),
        **choices(visit, next((c for c in clinics if c.id == typed.clinic), clinics[0])),
    )


def choices(visit: Visit, clinic: Clinic) -> dict[str, Any]:
    """What may be chosen for a patient of a clinic: zones, states, series, consents, wordings."""
    say, methods = visit.say("patient_new"), words(visit.language)["consent"]
    zones = [*COMMON.get(clinic.country, ()), *zones_of(clinic.country)]
    states = words(visit.language)["states"] if clinic.country == "US" else {}
    spoken = wording(visit.language).filled(
        {
            "clinic": clinic.name,
            "phone": clinic.phone,
            "emergency": clinic.emergency_number,
            "frequency": list_series()[0].words(visit.language).frequency,
        }
    )
    return {
        "languages": list(words(visit.language)["languages"].items()),
        "zones": [(each, f"{place(each)} ({each})") for each in zones],
        "states": [("", say["state_unknown"]), *sorted(states.items(), key=lambda each: each[1])],
        "series": series_of_choice(visit),
        "methods": [("", say["consent_none"]), *((each, methods[each]) for each in METHODS)],
        "wordings": [(each, each) for each in reversed(versions())],
        "spoken": spoken,
    }


def series_of_choice(visit: Visit) -> list[tuple[str, str]]:
    """The series by their names, with their titles."""
    return [(each.name, each.words(visit.language).title) for each in list_series()]


def _check(visit: Visit, outlook: Outlook) -> dict[str, Any]:
    say, patient = visit.say("patient_new"), outlook.patient
    warnings = [say[f"silent_{channel}"] for channel in outlook.silent]
    if set(outlook.silent) >= set(patient.channels):
        warnings.append(say["silent_all"])
    if outlook.sharing:
        shared = say["sharing_one" if outlook.sharing == 1 else "sharing"]
        warnings.append(shared.format(count=outlook.sharing))
    if outlook.known is not None:
        warnings.append(say["known"].format(name=patient.given_name))
    rows = calendar(visit, teller_of(visit, patient), outlook.calendar)
    return {
        "given_name": patient.given_name,
        "warnings": warnings,
        "rows": rows,
        "what": say["check_what"].format(
            count=sum(not row["left"] for row in rows),
            series=outlook.series.words(visit.language).title,
            zone=patient.timezone.replace("_", " "),
        ),
        "nothing": set(outlook.silent) >= set(patient.channels),
    }
