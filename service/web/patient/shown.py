"""What the patient's page says, in the reader's language and on their own clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from schedules.calendar import zone_of
from service.clock import from_ms
from service.preferences.overview import Overview, SeriesView
from service.staff.subscriptions import LONGEST_PAUSE
from service.store.records import Status
from service.web.language import LANGUAGES, words
from service.web.when import spoken_date, spoken_day, spoken_moment, spoken_time

_OUTCOMES: Final = {
    "planned": "planned",
    "pending": "planned",
    "claimed": "planned",
    "begun": "planned",
    "not_sent": "not_sent",
    "sent": "done",
    "delivered": "arrived",
    "skipped": "skipped",
    "undelivered": "failed",
    "failed": "failed",
    "parked": "failed",
}
"""An outcome of ``explain`` -> the word for it."""


def language_of(view: Overview, browser: str) -> str:
    """The language of a page: the patient's own, where pages are written in it."""
    return view.patient.language if view.patient.language in LANGUAGES else browser


def shown(view: Overview, language: str, expires_ms: int) -> dict[str, Any]:
    """All that the page's template uses besides the request's own part."""
    say = words(language)["preferences"]
    own_zone = view.patient.timezone
    zones = dict(words(language)["zones"])
    zones.setdefault(own_zone, own_zone.replace("_", " "))
    return {
        "view": view,
        "series": [_series(each, language) for each in view.series],
        "choosable": view.patient.channels,
        "zones": zones,
        "first": (view.today + timedelta(days=1)).isoformat(),
        "last": (view.today + LONGEST_PAUSE).isoformat(),
        "consents": [_consent(each, say, language, own_zone) for each in view.consents],
        "expires": spoken_date(from_ms(expires_ms).astimezone(zone_of(own_zone)).date(), language),
    }


def _series(view: SeriesView, language: str) -> dict[str, Any]:
    say = words(language)["preferences"]
    status = say[f"status_{view.status.word}"]
    if view.until is not None:
        status = say["status_paused_until"].format(day=spoken_day(view.until, language))
    return {
        "number": view.number,
        "title": view.title,
        "frequency": view.frequency,
        "status": status,
        "active": view.status is Status.ACTIVE,
        "runs": view.status in {Status.ACTIVE, Status.PAUSED},
        "progress": say["progress"].format(done=view.done, total=view.total),
        "done": view.done,
        "total": view.total,
        "coming": [
            {
                "day": spoken_day(each.at.date(), language),
                "time": spoken_time(each.at.time(), language),
                "how": say[f"by_{each.channel}"],
            }
            for each in view.coming
        ],
    }


def _consent(
    consent: Mapping[str, str], say: Mapping[str, str], language: str, zone: str
) -> dict[str, str]:
    day = datetime.fromisoformat(consent["at"]).astimezone(zone_of(zone)).date()
    channel = say[f"consent_{consent['channel']}"]
    method = consent.get("method", "-")
    told = words(language)["consent"].get(method.casefold(), method)
    how = say["consent_how"].format(method=told, wording=consent.get("wording", "-"))
    when = say["consent_when"].format(channel=channel, date=spoken_date(day, language))
    return {"what": when, "how": how}


def held(
    view: Overview, holdings: Mapping[str, Any], language: str, subject: Callable[[str], str]
) -> dict[str, Any]:
    """The readable form of what is held.

    Args:
        view: of the same patient.
        holdings: from ``Holdings.of``.
        language: of the page.
        subject: what a message of the library is about, in that language.
    """
    say = words(language)["preferences"]
    facts: Sequence[tuple[str, Any]] = (
        (say["held_name"], holdings["given_name"]),
        (say["held_phone"], holdings["phone"]),
        (say["held_email"], holdings["email"]),
        (say["held_language"], holdings["language"]),
        (say["held_zone"], holdings["timezone"]),
        (say["held_state"], holdings["state"]),
        (say["held_bedtime"], spoken_time(view.patient.bedtime, language)),
        (say["held_clinic"], view.clinic.name if view.clinic else holdings["clinic"]),
        (
            say["held_stopped"],
            ", ".join(say[f"consent_{channel}"] for channel in holdings["suppressed"]),
        ),
    )
    zone = view.patient.timezone
    return {
        "facts": facts,
        "consents": [_consent(each, say, language, zone) for each in view.consents],
        "ratings": [_rating(each, language, zone) for each in holdings["check_ins"]],
        "replies": [
            {"when": _moment(each["at"], language, zone), "text": each["text"]}
            for each in holdings["replies"]
        ],
        "messages": [_message(each, say, language, subject) for each in holdings["messages"]],
    }


def _rating(check_in: Mapping[str, Any], language: str, zone: str) -> dict[str, str]:
    when = _moment(check_in["at"], language, zone)
    return {"when": when, "rating": f"{check_in['rating']}/10"}


def _moment(text: str, language: str, zone: str) -> str:
    at = datetime.fromisoformat(text).astimezone(zone_of(zone))
    return spoken_moment(at, language)


def _message(
    message: Mapping[str, Any],
    say: Mapping[str, str],
    language: str,
    subject: Callable[[str], str],
) -> dict[str, str]:
    return {
        "when": spoken_moment(datetime.fromisoformat(message["due"]), language),
        "what": subject(message["message"]),
        "how": say[f"by_{message['channel']}"] if message["channel"] else "-",
        "became": say[f"outcome_{_OUTCOMES.get(message['outcome'], 'unknown')}"],
    }
