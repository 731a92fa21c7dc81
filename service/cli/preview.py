"""The options of `aftervisit series preview` read, and its answer in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from service.authoring.preview import Preview, PreviewRequest, previewed
from service.cli.options import read_date, read_instant, read_time


class Typed(TypedDict):
    """The options as typed; see its ``--help``."""

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


def preview_of(typed: Typed) -> Preview:
    """Plan and render what was asked for.

    Raises:
        InvalidInput: an option is wrong; its field is named.
        ContentError: a message is not written in that language, or cannot be rendered.
    """
    joins = typed["enrolled_at"]
    return previewed(
        PreviewRequest(
            series=typed["series"],
            version=typed["version"],
            start=read_date("start", typed["start"]),
            timezone=typed["timezone"],
            bedtime=read_time("bedtime", typed["bedtime"]),
            language=typed["language"],
            state=typed["state"],
            country=typed["country"],
            channels=typed["channels"],
            enrolled_at=read_instant("enrolled_at", joins) if joins else None,
        )
    )


def as_json(found: Preview) -> dict[str, object]:
    """The contract's shape; times are ISO 8601."""
    return {
        "series": found.series.name,
        "version": found.series.version,
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
            for each in found.steps
        ],
    }


def utc(instant: datetime) -> str:
    """ISO 8601 with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
