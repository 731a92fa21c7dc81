"""A series as one patient would get it: each step's time and its rendered text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from messages.catalog import Catalog
from messages.render import Renderer
from messages.sample import sample_context
from schedules.calendar import Profile, resolve, zone_of
from schedules.errors import ProfileError, SeriesError
from schedules.plan import Planned, plan
from schedules.quiet_hours import parse_state
from schedules.series import Series, load_series
from schedules.steps import CHANNELS
from service.cli.options import read_date, read_instant, read_time
from service.errors import InvalidInput

JOINS = time(0, 0)
"""Local time at which the patient of a preview joins, where no other is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """The options of `aftervisit series preview`, as typed; see its ``--help``."""

    series: str
    start: str
    timezone: str
    bedtime: str
    language: str
    state: str
    country: str
    channels: str
    enrolled_at: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Previewed:
    """A step with its words; ``subject`` is None for a text message."""

    planned: Planned
    text: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Every step of a series version, in order."""

    series: Series
    steps: tuple[Previewed, ...]

    def as_json(self) -> dict[str, object]:
        """The contract's shape; times are ISO 8601."""
        return {
            "series": self.series.name,
            "version": self.series.version,
            "steps": [
                {
                    "step": each.planned.step.id,
                    "message": each.planned.step.message,
                    "kind": each.planned.step.kind,
                    "unless": each.planned.step.unless,
                    "channel": each.planned.channel,
                    "local": each.planned.local.isoformat(),
                    "utc": utc(each.planned.due),
                    "text": each.text,
                    "subject": each.subject,
                }
                for each in self.steps
            ],
        }


def utc(instant: datetime) -> str:
    """ISO 8601 with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def previewed(request: PreviewRequest) -> Preview:
    """Plan and render a series.

    Raises:
        InvalidInput: an option is wrong; its field is named.
        ContentError: a message is not written in that language, or cannot be rendered.
    """
    try:
        series = load_series(request.series, request.version)
    except SeriesError as error:
        raise InvalidInput("series", "series_unknown", str(error)) from None
    start = read_date("start", request.start)
    profile = _profile(request)
    enrolled_at = (
        read_instant("enrolled_at", request.enrolled_at)
        if request.enrolled_at
        else _joins(start, profile)
    )
    renderer = Renderer(Catalog.load())
    words = series.words(request.language)
    context = sample_context(request.language) | {
        "series_title": words.title,
        "frequency": words.frequency,
    }
    steps = plan(series, profile, start, enrolled_at)
    return Preview(series, tuple(_worded(renderer, step, request, context) for step in steps))


def _joins(start: date, profile: Profile) -> datetime:
    return resolve(datetime.combine(start, JOINS), zone_of(profile.timezone))


def _worded(
    renderer: Renderer, planned: Planned, request: PreviewRequest, context: dict[str, str]
) -> Previewed:
    message = planned.step.message
    if planned.channel == "sms":
        text = renderer.sms(message, request.language, context)
        return Previewed(planned, text.text, None)
    email = renderer.email(message, request.language, context)
    return Previewed(planned, email.text, email.subject)


def _profile(request: PreviewRequest) -> Profile:
    channels = frozenset(part.strip() for part in request.channels.lower().split(",") if part)
    if not channels or not channels.issubset(CHANNELS):
        raise InvalidInput("channels", "channels_bad", "Give sms, email or sms,email.")
    bedtime = read_time("bedtime", request.bedtime)
    country = request.country.strip().upper()
    try:
        zone_of(request.timezone)
    except ProfileError as error:
        raise InvalidInput("timezone", "timezone_unknown", str(error)) from None
    try:
        state = parse_state(request.state, country)
        return Profile(request.timezone, country, state, bedtime, channels, "preview")
    except ProfileError as error:
        raise InvalidInput("state", "state_unknown", str(error)) from None
