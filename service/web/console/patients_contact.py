"""What is done about how a patient is reached: details, another address, stopping, erasure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Form
from starlette.responses import Response

from service.clinics import Clinic
from service.errors import InvalidInput, NotFound, together
from service.staff.addresses import NewAddress
from service.staff.details import EITHER, Details, languages_of
from service.store.records import CHANNELS, Channel, Patient
from service.web.console.access import ChangesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.patients_enrol import choices
from service.web.console.patients_series import Text, change_page
from service.web.console.patients_shown import person_of

router = console_router()

KINDS: Final[Mapping[str, Channel]] = {"phone": "sms", "email": "email"}
"""What stands in addresses of pages for a channel."""


@router.get("/patients/{patient}/details")
def show_details(visit: ChangesPatients, patient: str) -> Response:
    """Ask for language, zone, bedtime and preferred way."""
    _, contact = person_of(visit, patient)
    return _details(visit, contact, _known(contact))


@router.post("/patients/{patient}/details")
def change_details(
    visit: ChangesPatients,
    patient: str,
    language: Text = "",
    timezone: Text = "",
    bedtime: Text = "",
    prefers: Text = "",
) -> Response:
    """Change them."""
    _, contact = person_of(visit, patient)
    wanted = Details(language=language, timezone=timezone, bedtime=bedtime, prefers=prefers)
    try:
        changed = visit.core.details.change(patient, wanted, source=visit.source)
    except InvalidInput as fault:
        return _details(visit, contact, wanted, fault)
    return visit.to(f"patients/{patient}", done="changed" if changed else "same")


def _known(contact: Patient) -> Details:
    return Details(
        language=contact.language,
        timezone=contact.timezone,
        bedtime=contact.bedtime.strftime("%H:%M"),
        prefers=contact.prefers or EITHER,
    )


def _details(
    visit: Visit, contact: Patient, typed: Details, fault: InvalidInput | None = None
) -> Response:
    say = visit.say("patient_change")
    fields = visit.core.patients.load(contact.id)
    offered = choices(visit, _clinic(visit, contact))
    written = {*languages_of(fields, visit.core.catalog), contact.language}
    zones = offered["zones"]
    if contact.timezone not in {zone for zone, _ in zones}:
        zones = [(contact.timezone, contact.timezone), *zones]
    ways = [EITHER, *contact.channels]
    return change_page(
        visit,
        contact,
        "details",
        fault,
        typed=typed,
        languages=[each for each in offered["languages"] if each[0] in written],
        zones=zones,
        ways=[(way, say[f"prefers_{way}"]) for way in ways],
    )


def _clinic(visit: Visit, contact: Patient) -> Clinic:
    found = visit.core.clinics.get(contact.clinic)
    if found is None:
        raise NotFound("The patient's clinic is not in the clinics file; put it back.")
    return found


@router.get("/patients/{patient}/address/{kind}")
def show_address(visit: ChangesPatients, patient: str, kind: str) -> Response:
    """Ask for another address, and the evidence of consent to it."""
    _, contact = person_of(visit, patient)
    return _address(visit, contact, kind, "", "", "")


@router.post("/patients/{patient}/address/{kind}")
def change_address(
    visit: ChangesPatients,
    patient: str,
    kind: str,
    address: Text = "",
    consent: Text = "",
    wording: Text = "",
) -> Response:
    """Put it in the old one's place."""
    _, contact = person_of(visit, patient)
    channel = _channel(kind)
    new = NewAddress(channel=channel, address=address, consent=consent, wording=wording)
    try:
        done = visit.core.corrected_addresses.correct(patient, new, source=visit.source)
    except InvalidInput as fault:
        named = {kind: "address", f"{channel}_consent": "consent"}
        wrong = together(
            InvalidInput(named.get(each.field, each.field), each.code, str(each))
            for each in fault.every
        )
        return _address(visit, contact, kind, address, consent, wording, wrong)
    word = "corrected_silent" if done.suppressed else "corrected"
    return visit.to(f"patients/{patient}", done=word)


def _address(
    visit: Visit,
    contact: Patient,
    kind: str,
    address: str,
    consent: str,
    wording: str,
    fault: InvalidInput | None = None,
) -> Response:
    offered = choices(visit, _clinic(visit, contact))
    return change_page(
        visit,
        contact,
        "address",
        fault,
        kind=kind,
        known=contact.address(_channel(kind)) or "",
        address=address,
        consent=consent,
        wording=wording,
        methods=offered["methods"],
        wordings=offered["wordings"],
        spoken=offered["spoken"],
    )


def _channel(kind: str) -> Channel:
    if kind not in KINDS:
        raise NotFound("There is no such address.")
    return KINDS[kind]


@router.get("/patients/{patient}/stop")
def show_stop(visit: ChangesPatients, patient: str, series: str = "") -> Response:
    """Ask what is to stop, and tell what that does."""
    _, contact = person_of(visit, patient)
    return _stop(visit, contact, series if series.isdigit() else "")


@router.post("/patients/{patient}/stop")
def stop_messages(
    visit: ChangesPatients, patient: str, what: Text = "", sure: Text = ""
) -> Response:
    """Stop everything, a channel, or one series."""
    fields, contact = person_of(visit, patient)
    say, staff = visit.say("patient_change"), visit.core.staff
    channels = [c for c in CHANNELS if what in {"all", c} and contact.address(c)]
    number = next((n for n in fields.numbers() if what == str(n)), None)
    if not channels and number is None:
        return _stop(visit, contact, what, InvalidInput("what", "-", say["stop_choose"]))
    if not sure:
        return _stop(visit, contact, what, InvalidInput("sure", "-", say["sure_needed"]))
    if number is None:
        staff.stop(patient, source=visit.source, channels=channels)
    elif not staff.leave(patient, number, source=visit.source, undoable=True):
        return visit.to(f"patients/{patient}", done="same")
    return visit.to(f"patients/{patient}", done="stopped")


def _stop(
    visit: Visit, contact: Patient, chosen: str, fault: InvalidInput | None = None
) -> Response:
    say = visit.say("patient_change")
    view = visit.core.overviews.of(visit.core.patients.load(contact.id), visit.language)
    options = [("all", say["stop_all"])]
    options += [
        (channel, say[f"stop_{channel}"].format(address=contact.address(channel)))
        for channel in CHANNELS
        if contact.address(channel)
    ]
    options += [
        (str(each.number), say["stop_series"].format(title=each.title))
        for each in view.series
        if each.status.word in {"active", "paused"}
    ]
    return change_page(visit, contact, "stop", fault, options=options, chosen=chosen)


@router.get("/patients/{patient}/erase")
def show_erase(visit: ChangesPatients, patient: str) -> Response:
    """Tell what erasing does."""
    _, contact = person_of(visit, patient)
    return change_page(visit, contact, "erase")


@router.post("/patients/{patient}/erase")
def erase_patient(
    visit: ChangesPatients, patient: str, sure: Annotated[str, Form(max_length=9)] = ""
) -> Response:
    """Erase a patient for good."""
    _, contact = person_of(visit, patient)
    if not sure:
        told = visit.say("patient_change")["sure_needed"]
        return change_page(visit, contact, "erase", InvalidInput("sure", "-", told))
    visit.core.erasure.erase(patient, source=visit.source)
    return visit.to("patients", done="erased")
