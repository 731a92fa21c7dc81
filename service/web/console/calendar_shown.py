"""What is to come, in the reader's language: rows of a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.staff.enrolling import Entry
from service.web.console.access import Visit
from service.web.console.timeline_shown import Teller
from service.web.when import spoken_day


def calendar(visit: Visit, teller: Teller, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Rows: day, time with its zone (and the clinic's), way, text; or why a step is left out."""
    told, say = visit.say("timeline"), visit.say("patient_new")
    rows = []
    for entry in entries:
        left = ""
        if entry.skipped is not None:
            left = say["left_out"].format(reason=told[f"reason_{entry.skipped}"])
        rows.append(
            {
                "at": entry.at.isoformat(),
                "day": spoken_day(entry.at.date(), visit.language),
                "time": teller.time(entry.at),
                "there": teller.there(entry.at),
                "how": told[f"channel_{entry.channel}"] if entry.channel else "",
                "text": entry.text or entry.message.replace("-", " "),
                "left": left,
            }
        )
    return rows
