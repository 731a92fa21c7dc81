"""Who a patient is and what they get, in the reader's language: what the patient's page shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from schedules.calendar import zone_of
from service.accounts.members import SOURCE
from service.errors import NotFound
from service.preferences.overview import ChannelView, Overview, SeriesView
from service.reporting.lines import Line
from service.store.records import Channel, Patient, PatientFields, Status
from service.web.console.access import Visit
from service.web.console.names import Names
from service.web.console.patients import TONES
from service.web.console.timeline_shown import Teller, titles
from service.web.language import words
from service.web.when import spoken_date, spoken_day, spoken_time


def person_of(visit: Visit, identifier: str) -> tuple[PatientFields, Patient]:
    """A patient whom the member may see.

    Raises:
        NotFound: there is none of that id, or they are of a clinic that the member does not see.
    """
    fields = visit.core.patients.load(identifier)
    patient = visit.core.patients.contact(fields)
    visit.require_clinic(patient.clinic)
    return fields, patient


def teller_of(visit: Visit, patient: Patient, view: Overview | None = None) -> Teller:
    """Tells times on the patient's clock, and the clinic's where it differs.

    Args:
        visit: for whom.
        patient: whose.
        view: theirs; where they are in several series, each is named.
    """
    clinic = visit.core.clinics.get(patient.clinic)
    zone: tzinfo | None = zone_of(clinic.timezone) if clinic and clinic.timezone else None
    title = titles(visit.core.renderer.blocks, visit.language)
    series = {f"{patient.id}.{each.number}": each.title for each in view.series} if view else {}
    several = series if len(series) > 1 else {}
    return Teller(visit.language, zone, title, Names(visit).member, several)


def heading(visit: Visit, patient: Patient) -> str:
    """The patient's name, or their number where they told none."""
    say = visit.say("patient")
    return patient.given_name or say["nameless"].format(id=patient.id)


def card(visit: Visit, view: Overview, lines: Iterable[Line]) -> dict[str, Any]:
    """All of the page but the timeline."""
    say, patient = visit.say("patient"), view.patient
    teller = teller_of(visit, patient, view)
    clinic = view.clinic.name if view.clinic else patient.clinic
    return {
        "patient": patient,
        "heading": heading(visit, patient),
        "lede": say["lede"].format(id=patient.id, clinic=clinic),
        "clock": say["clock"].format(zone=patient.timezone.replace("_", " ")),
        "channels": [_channel(visit, patient, each) for each in view.channels],
        "facts": _facts(visit, patient),
        "series": [_series(visit, each) for each in view.series],
        "running": view.running,
        "consents": [_consent(visit, patient, each) for each in view.consents],
        "to_come": [teller.line(line) for line in lines],
    }


def _channel(visit: Visit, patient: Patient, view: ChannelView) -> dict[str, str]:
    say = visit.say("patient")
    kind = "phone" if view.channel == "sms" else "email"
    address = patient.address(view.channel)
    if address is None:
        return {"kind": kind, "label": say[kind], "address": ""}
    if view.reach == "stopped":
        said, tone = say.get(f"stopped_{view.reason}", say["stopped_other"]), "bad"
    else:
        said, tone = say[f"reach_{view.reach}"], "good" if view.reach == "on" else "care"
    thread = _thread(visit, view.channel, address)
    shown = {"kind": kind, "label": say[kind], "address": address}
    return {**shown, "said": said, "tone": tone, "thread": thread}


def _thread(visit: Visit, channel: Channel, address: str) -> str:
    """Where what was said there can be read; empty where nothing was."""
    digest = visit.core.suppressions.digest(channel, address)
    try:
        visit.core.inbox_cases.threads.open(digest, visit.member.clinics, newest=1)
    except NotFound:
        return ""
    return digest


def _facts(visit: Visit, patient: Patient) -> list[tuple[str, str]]:
    say, every = visit.say("patient"), words(visit.language)
    facts = [
        (say["language"], every["languages"].get(patient.language, patient.language)),
        (say["zone"], patient.timezone.replace("_", " ")),
        (say["bedtime"], spoken_time(patient.bedtime, visit.language)),
        (say["prefers"], say[f"prefers_{patient.prefers or 'either'}"]),
    ]
    if patient.state:
        facts.insert(2, (say["state"], every["states"].get(patient.state, patient.state)))
    return facts


def _series(visit: Visit, view: SeriesView) -> dict[str, Any]:
    say, listed = visit.say("patient"), visit.say("patients")
    status = listed[f"status_{view.status.word}"]
    if view.until is not None:
        status += " " + say["until"].format(day=spoken_day(view.until, visit.language))
    channels = visit.say("timeline")
    return {
        "number": view.number,
        "title": view.title,
        "status": status,
        "tone": TONES[view.status],
        "runs": view.status in {Status.ACTIVE, Status.PAUSED},
        "active": view.status is Status.ACTIVE,
        "paused": view.status is Status.PAUSED,
        "undo": say["undo_what"].format(day=spoken_day(view.undoable, visit.language))
        if view.undoable
        else "",
        "progress": say["progress"].format(done=view.done, total=view.total),
        "coming": [
            {
                "at": each.at.isoformat(),
                "said": f"{spoken_day(each.at.date(), visit.language)}, "
                f"{spoken_time(each.at.time(), visit.language)} {each.at.tzname()}",
                "how": channels[f"channel_{each.channel}"],
            }
            for each in view.coming
        ],
    }


def _consent(visit: Visit, patient: Patient, consent: Mapping[str, str]) -> dict[str, str]:
    say, methods = visit.say("patient"), words(visit.language)["consent"]
    at = datetime.fromisoformat(consent["at"]).astimezone(zone_of(patient.timezone))
    method, by = consent.get("method", ""), consent.get("by", "")
    told = say["consent"].format(
        channels=visit.say("timeline")[f"channels_{consent['channel']}"].capitalize(),
        method=methods.get(method, method),
        wording=consent.get("wording", ""),
        date=spoken_date(at.date(), visit.language),
    )
    entered = ""
    if by.startswith(SOURCE):
        entered = say["consent_by"].format(name=Names(visit).member(by.removeprefix(SOURCE)))
    elif consent.get("confirmed"):
        entered = say["confirmed"]
    return {"said": told, "by": entered, "address": consent.get("address", "")}
