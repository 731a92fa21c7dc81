"""Send a patient one message of the library now: chosen, seen, and then sent."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from starlette.responses import Response

from service.errors import InvalidInput
from service.staff.one_message import Draft, NotNow
from service.store.records import CHANNELS, Channel, Patient
from service.web.console.access import ChangesPatients, Visit
from service.web.console.pages import console_router
from service.web.console.patients_series import Text, change_page
from service.web.console.patients_shown import person_of, teller_of
from service.web.console.timeline_shown import titles
from service.web.when import spoken_day

router = console_router()

_STRANDS: Final = ("follow_up", "lifestyle", "sleep")


@router.get("/patients/{patient}/message")
def show_messages(visit: ChangesPatients, patient: str) -> Response:
    """Ask which message, and by which way."""
    _, contact = person_of(visit, patient)
    return _page(visit, contact, "", "")


@router.post("/patients/{patient}/message/see")
def see_message(
    visit: ChangesPatients, patient: str, message: Text = "", channel: Text = ""
) -> Response:
    """Show it as the patient would get it, and whether it may go now; nothing is sent."""
    _, contact = person_of(visit, patient)
    try:
        draft = visit.core.one_message.draft(patient, message, _channel(channel))
    except InvalidInput as fault:
        return _page(visit, contact, message, channel, fault=fault)
    return _page(visit, contact, message, channel, draft=draft)


@router.post("/patients/{patient}/message")
def send_message(
    visit: ChangesPatients, patient: str, message: Text = "", channel: Text = ""
) -> Response:
    """Send it, or tell why not and when it may go."""
    _, contact = person_of(visit, patient)
    try:
        visit.core.one_message.send(patient, message, _channel(channel), source=visit.source)
    except NotNow:
        return see_message(visit, patient, message, channel)
    except InvalidInput as fault:
        return _page(visit, contact, message, channel, fault=fault)
    return visit.to(f"patients/{patient}", done="sent")


def _channel(text: str) -> Channel:
    for channel in CHANNELS:
        if channel == text:
            return channel
    raise InvalidInput("channel", "channel_unknown", "Choose text or e-mail.")


def _page(
    visit: Visit,
    contact: Patient,
    message: str,
    channel: str,
    *,
    draft: Draft | None = None,
    fault: InvalidInput | None = None,
) -> Response:
    strands, told = visit.say("library"), visit.say("timeline")
    title = titles(visit.core.renderer.blocks, visit.language)
    known = sorted(
        visit.core.one_message.choices(contact.id),
        key=lambda each: (_STRANDS.index(each.strand), title(each.name)),
    )
    groups = [
        (strands[f"strand_{strand}"], [(each.name, title(each.name)) for each in found])
        for strand, found in groupby(known, key=lambda each: each.strand)
    ]
    later = _later(visit, contact, draft) if draft and draft.later else ()
    return change_page(
        visit,
        contact,
        "message",
        fault,
        groups=groups,
        chosen=message,
        ways=[(c, told[f"channel_{c}"]) for c in CHANNELS if contact.address(c)],
        way=channel,
        draft=draft,
        later=later,
    )


def _later(visit: Visit, contact: Patient, draft: Draft) -> tuple[str, ...]:
    """Why it may not go now, and when it may."""
    say, told = visit.say("patient_change"), visit.say("timeline")
    why = say["message_not_now"].format(reason=told[f"reason_{draft.later}"])
    if draft.local is None:
        return (why,)
    teller = teller_of(visit, contact)
    day = spoken_day(draft.local.date(), visit.language)
    there = teller.there(draft.local)
    at = teller.time(draft.local) + (f" ({there})" if there else "")
    return why, say["message_from"].format(day=day, time=at)
