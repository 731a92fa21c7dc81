"""Series: all versions, each as a calendar for any start, zone and bedtime, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Final

from starlette.responses import Response

from messages.errors import ContentError
from schedules.errors import SeriesError
from schedules.series import list_series, load_series
from schedules.steps import Series, Step
from schedules.versions import difference, span
from service.accounts.roles import Right
from service.authoring.preview import Preview, PreviewRequest, previewed
from service.clock import from_ms
from service.errors import InvalidInput, NotFound
from service.web.console.access import SeesContent, Visit
from service.web.console.account import LANGUAGE_NAMES
from service.web.console.moves import moves_of
from service.web.console.pages import console_router
from service.web.language import words
from service.web.when import spoken_day, spoken_time

router = console_router()

CHANNELS: Final = ("sms,email", "sms", "email")
_ZONE: Final = "America/New_York"
_BEDTIME: Final = "22:30"


@dataclass(frozen=True, slots=True)
class Typed:
    """For whom a calendar is asked, as typed; empty words stand for their usual."""

    start: str = ""
    timezone: str = ""
    bedtime: str = ""
    language: str = ""
    state: str = ""
    channels: str = ""


@router.get("/series")
def list_all(visit: SeesContent) -> Response:
    """List every version of every series, and the latest moves."""
    by_name: dict[str, list[Series]] = {}
    for series in list_series():
        by_name.setdefault(series.name, []).insert(0, series)
    may_move = visit.member.may(Right.CHANGE_SERIES)
    return visit.page(
        "series",
        found=by_name.items(),
        may_move=may_move,
        moves=moves_of(visit) if may_move else [],
    )


@router.get("/series/{name}/difference")
def show_difference(visit: SeesContent, name: str, old: str = "", new: str = "") -> Response:
    """Show what differs between two versions."""
    versions = versions_of(name)
    newest = versions[0].version
    right = _number(new) or newest
    left = _number(old) or (versions[1].version if len(versions) > 1 else newest)
    found = difference(_load(name, left), _load(name, right))
    return visit.page(
        "series_difference",
        found=found,
        versions=[(str(each.version), str(each.version)) for each in versions],
        sides=[(each, _side(each.old), _side(each.new)) for each in found.steps],
    )


def _side(step: Step | None) -> dict[str, str]:
    if step is None:
        return {}
    return {
        "message": step.message,
        "day": str(step.day),
        "at": str(step.at),
        "channel": step.channel,
        "kind": step.kind,
        "expires_after": span(step.expires_after),
        "unless": "" if step.unless is None else str(step.unless),
    }


@router.get("/series/{name}/{version}")
def show_calendar(
    visit: SeesContent,
    name: str,
    version: str,
    start: str = "",
    timezone: str = "",
    bedtime: str = "",
    language: str = "",
    state: str = "",
    channels: str = "",
) -> Response:
    """Show a version as one patient would get it."""
    series = _load(name, _number(version))
    typed = _typed(visit, Typed(start, timezone, bedtime, language, state, channels))
    fault: InvalidInput | None = None
    preview: Preview | None = None
    try:
        preview = previewed(_request(series, typed), visit.core.renderer)
    except InvalidInput as found:
        fault = found
    except ContentError:
        fault = InvalidInput("language", "language_missing", "A message is not in that language.")
    return visit.page(
        "series_calendar",
        422 if fault else 200,
        series=series,
        versions=versions_of(name),
        typed=typed,
        days=_days(visit, preview) if preview else [],
        faults=visit.faults(fault),
        languages=[(each, LANGUAGE_NAMES.get(each, each)) for each in _languages(series)],
        channels=[
            (each, visit.say("series_calendar")[f"by_{each.replace(',', '_')}"])
            for each in CHANNELS
        ],
        states=[("", visit.say("series_calendar")["state_unknown"]), *sorted(_states(visit))],
    )


def _typed(visit: Visit, typed: Typed) -> Typed:
    """The same, with what was left out filled in: today, and the place of the first clinic."""
    clinics = visit.clinics
    zone = (clinics[0].timezone if clinics else None) or _ZONE
    today = from_ms(visit.core.business.now_ms()).date()
    return Typed(
        typed.start or today.isoformat(),
        typed.timezone or zone,
        typed.bedtime or _BEDTIME,
        typed.language or "en",
        typed.state,
        typed.channels if typed.channels in CHANNELS else CHANNELS[0],
    )


def _request(series: Series, typed: Typed) -> PreviewRequest:
    try:
        start = date.fromisoformat(typed.start)
    except ValueError:
        raise InvalidInput("start", "date_bad", "Give a date.") from None
    try:
        bedtime = time.fromisoformat(typed.bedtime)
    except ValueError:
        raise InvalidInput("bedtime", "bedtime_bad", "Give a time of day.") from None
    if not 1970 <= start.year <= 2199 or bedtime.tzinfo:  # noqa: PLR2004 - as everywhere
        raise InvalidInput("start", "date_bad", "Give a date of this time.")
    return PreviewRequest(
        series=series.name,
        version=series.version,
        start=start,
        timezone=typed.timezone,
        bedtime=bedtime,
        language=typed.language,
        state=typed.state,
        channels=typed.channels,
    )


def _days(visit: Visit, preview: Preview) -> list[dict[str, object]]:
    """The steps by their days, each with its time on the patient's clock."""
    days: dict[date, list[dict[str, object]]] = {}
    for each in preview.steps:
        local = each.planned.local
        days.setdefault(local.date(), []).append(
            {
                "step": each.planned.step,
                "channel": each.planned.channel,
                "time": spoken_time(local.time(), visit.language),
                "utc": each.planned.due,
                "zone": local.tzname(),
                "shown": each.subject or each.text,
                "segments": each.segments,
            }
        )
    return [
        {"day": spoken_day(day, visit.language), "year": day.year, "steps": steps}
        for day, steps in days.items()
    ]


def _states(visit: Visit) -> list[tuple[str, str]]:
    return [(code.upper(), name) for code, name in words(visit.language)["states"].items()]


def _languages(series: Series) -> list[str]:
    return ["en", *(each.language for each in series.wording)]


def versions_of(name: str) -> list[Series]:
    """The versions of a series, the newest first.

    Raises:
        NotFound: there is no such series.
    """
    found = [series for series in reversed(list_series()) if series.name == name]
    if not found:
        raise NotFound("There is no such series.")
    return found


def _load(name: str, version: int | None) -> Series:
    if version is None:
        raise NotFound("There is no such version.")
    try:
        return load_series(name, version)
    except SeriesError:
        raise NotFound("There is no such series, or no such version.") from None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None  # noqa: PLR2004
