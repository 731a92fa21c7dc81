"""Who saw or changed what: filtered, paged, and as a file. A patient is asked for by POST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Annotated, Final

from fastapi import Depends, Form
from starlette.responses import Response, StreamingResponse

from service.accounts.members import SOURCE
from service.clock import from_ms
from service.errors import NotFound
from service.reporting.audit import ACCOUNTS, KINDS, Wanted, kind_of
from service.spreadsheets import lines
from service.store.audit import Entry
from service.store.keys import is_patient_id
from service.store.trail import Place, Trace
from service.web.console.access import SeesAudit, Visit
from service.web.console.clocks import Clock, clock_of
from service.web.console.names import Names
from service.web.console.pages import console_router

router = console_router()

Word = Annotated[str, Form(max_length=64)]
COLUMNS: Final = ("at", "who", "source", "what", "about", "reason", "sentence")
LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Typed:
    """A filter as typed; what is none is empty."""

    kind: str = ""
    member: str = ""
    patient: str = ""
    first: str = ""
    last: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The same as fields of a form."""
        return {
            name: getattr(self, name) for name in ("kind", "member", "patient", "first", "last")
        }


@router.get("/audit")
def show_newest(
    visit: SeesAudit,
    kind: str = "",
    member: str = "",
    first: str = "",
    last: str = "",
    before: str = "",
) -> Response:
    """Show the newest entries, or those after a place."""
    return _shown(visit, Typed(kind, member, "", first, last), before)


async def _typed(
    kind: Word = "", member: Word = "", patient: Word = "", first: Word = "", last: Word = ""
) -> Typed:
    return Typed(kind, member, patient.strip().lower(), first, last)


Filter = Annotated[Typed, Depends(_typed)]
"""The fields of the form."""


@router.post("/audit")
def search(visit: SeesAudit, typed: Filter, before: Word = "") -> Response:
    """Show entries about a patient, or any others."""
    return _shown(visit, typed, before)


@router.post("/audit/export")
def export(visit: SeesAudit, typed: Filter) -> Response:
    """Hand over what is asked for as a file for spreadsheets, as it is read."""
    traces = visit.core.audit_log.every(_wanted(typed, clock_of(visit)), visit.member)
    day = from_ms(visit.core.business.now_ms()).date().isoformat()
    return StreamingResponse(
        _lines(visit, traces),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="aftervisit-audit-{day}.csv"'},
    )


def _shown(visit: Visit, typed: Typed, before: str) -> Response:
    members = visit.core.accounts.all()
    seen = [each for each in members if visit.member.oversees(each.clinics)]
    say = visit.say("audit")
    log, clock = visit.core.audit_log, clock_of(visit)
    missing = False
    try:
        page = log.page(_wanted(typed, clock), visit.member, Place.read(before))
    except NotFound:
        page, missing = log.page(Wanted(until_ms=0), visit.member), True
    names = Names(visit)
    return visit.page(
        "audit",
        404 if missing else 200,
        rows=[_row(say, trace, names, clock) for trace in page.traces],
        older="" if page.older is None else str(page.older),
        looked_to=clock.at(page.looked_to_ms) if page.looked_to_ms else "",
        clock=clock,
        typed=typed,
        missing=missing,
        kinds=[("", say["every_kind"]), *((k, say[f"kind_{k}"]) for k in (*KINDS, ACCOUNTS))],
        members=[("", say["everybody"]), *((each.id, each.name) for each in seen)],
    )


def _wanted(typed: Typed, clock: Clock) -> Wanted:
    first, last = _day(typed.first), _day(typed.last)
    return Wanted(
        member=typed.member,
        patient=typed.patient,
        kind=typed.kind if typed.kind in (*KINDS, ACCOUNTS) else "",
        since_ms=None if first is None else clock.midnight(first),
        until_ms=None if last is None else clock.midnight(last + timedelta(days=1)),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2199 else None  # noqa: PLR2004 - as everywhere


def _who(by: str, say: Mapping[str, str], names: Names) -> str:
    """Who did it, in words."""
    head, _, rest = by.partition(":")
    if by.startswith(SOURCE):
        return names.member(rest)
    told = say.get(f"source_{head}", head)
    return f"{told} ({rest})" if head in {"cli", "carrier"} and rest else told


def _row(say: Mapping[str, str], trace: Trace, names: Names, clock: Clock) -> Mapping[str, str]:
    entry = trace.entry
    kind, name = kind_of(entry.what), entry.on.partition(".")[0]
    is_member = kind == ACCOUNTS
    return {
        "at": clock.at(entry.at_ms),
        "who": _who(entry.by, say, names),
        "kind": kind,
        "sentence": sentence_of(entry, say, clock),
        "on": names.member(name) if is_member and name else _short(entry.on),
        "path": _path(entry, name, is_member=is_member),
    }


def _path(entry: Entry, name: str, *, is_member: bool) -> str:
    """Where more is told of what an entry is about, below ``console/``."""
    if is_member:
        return f"members/{name}" if is_patient_id(name) else ""
    if kind_of(entry.what) == "import":
        return f"imports/{name}"
    about_patient = kind_of(entry.what) in {"seen", "series", "details", "consent"}
    return f"patients/{name}" if about_patient and is_patient_id(name) else ""


def _short(on: str) -> str:
    """An id as it is; a keyed hash by its beginning, which is enough to tell two apart."""
    return on if len(on) < 20 else f"{on[:8]}…"  # noqa: PLR2004 - ids with a number are shorter


def sentence_of(entry: Entry, say: Mapping[str, str], clock: Clock) -> str:
    """What an entry means, in words."""
    told = say.get(f"what_{entry.what}", say["what_other"].format(what=entry.what))
    words = [say.get(f"why_{word}", word) for word in entry.reason.split(",") if word]
    if entry.step:
        words.append(entry.step)
    if entry.until_ms is not None:
        words.append(say["until"].format(day=clock.at(entry.until_ms)))
    return f"{told} ({', '.join(words)})" if words else told


def _lines(visit: Visit, traces: Iterator[Trace]) -> Iterator[str]:
    """The file, some hundred lines at a time, in UTC; no cell is run as a formula."""
    say, names, clock = visit.say("audit"), Names(visit), Clock("UTC", visit.language)
    yield lines([COLUMNS])
    while some := list(islice(traces, LINES)):
        yield lines([_cells(trace.entry, say, names, clock) for trace in some])


def _cells(entry: Entry, say: Mapping[str, str], names: Names, clock: Clock) -> tuple[str, ...]:
    at = from_ms(entry.at_ms).isoformat().replace("+00:00", "Z")
    sentence = sentence_of(entry, say, clock)
    return at, _who(entry.by, say, names), entry.by, entry.what, entry.on, entry.reason, sentence
