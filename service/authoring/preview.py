"""A series as one patient would get it: every message with its time and its words. No store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from messages.catalog import Catalog
from messages.render import Renderer, SmsText
from messages.sample import sample_context
from schedules.calendar import Profile, resolve, zone_of
from schedules.errors import ProfileError, SeriesError
from schedules.plan import Planned, plan
from schedules.quiet_hours import parse_state
from schedules.series import Series, load_series
from schedules.steps import CHANNELS
from service.errors import InvalidInput

JOINS: Final = time(0, 0)
"""Local time at which the patient of a preview joins, where no other is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """Which series, and for whom.

    Attributes:
        channels: words joined by commas.
        enrolled_at: when they join; None: before the first day.
        version: None for the newest.
    """

    series: str
    start: date
    timezone: str
    bedtime: time
    language: str
    state: str = ""
    country: str = "US"
    channels: str = "sms,email"
    enrolled_at: datetime | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Previewed:
    """A step with its words; ``subject`` is None for a text message, ``segments`` for an e-mail."""

    planned: Planned
    text: str
    subject: str | None
    segments: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Every step of a series version, in order."""

    series: Series
    steps: tuple[Previewed, ...]


def previewed(request: PreviewRequest, renderer: Renderer | None = None) -> Preview:
    """Plan and render a series.

    Args:
        request: which, and for whom.
        renderer: of the library, where a process has one already.

    Raises:
        InvalidInput: an option is wrong; its field is named.
        ContentError: a message is not written in that language, or cannot be rendered.
    """
    try:
        series = load_series(request.series, request.version)
    except SeriesError as error:
        raise InvalidInput("series", "series_unknown", str(error)) from None
    profile = _profile(request)
    enrolled_at = request.enrolled_at or _joins(request.start, profile)
    renderer = renderer or Renderer(Catalog.load())
    words = series.words(request.language)
    context = sample_context(request.language) | {
        "series_title": words.title,
        "frequency": words.frequency,
    }
    steps = plan(series, profile, request.start, enrolled_at)
    return Preview(series, tuple(_worded(renderer, step, request, context) for step in steps))


def _joins(start: date, profile: Profile) -> datetime:
    return resolve(datetime.combine(start, JOINS), zone_of(profile.timezone))


def _worded(
    renderer: Renderer, planned: Planned, request: PreviewRequest, context: dict[str, str]
) -> Previewed:
    message = planned.step.message
    if planned.channel == "sms":
        text: SmsText = renderer.sms(message, request.language, context)
        return Previewed(planned, text.text, None, text.segments)
    email = renderer.email(message, request.language, context)
    return Previewed(planned, email.text, email.subject, None)


def _profile(request: PreviewRequest) -> Profile:
    channels = frozenset(part.strip() for part in request.channels.lower().split(",") if part)
    if not channels or not channels.issubset(CHANNELS):
        raise InvalidInput("channels", "channels_bad", "Give sms, email or sms,email.")
    country = request.country.strip().upper()
    try:
        zone_of(request.timezone)
    except ProfileError as error:
        raise InvalidInput("timezone", "timezone_unknown", str(error)) from None
    try:
        state = parse_state(request.state, country)
        return Profile(request.timezone, country, state, request.bedtime, channels, "preview")
    except ProfileError as error:
        raise InvalidInput("state", "state_unknown", str(error)) from None
