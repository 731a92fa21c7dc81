"""Values of options that several commands read, for commands that load no settings."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

import click

from service.errors import InvalidInput

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


class WholeNumber(click.IntRange):
    """A whole number within bounds, whose error says what to give."""

    name = "number"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Read what was typed."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(
                f"{value!r}: give a whole number from {self.min:,} to {self.max:,}.", param, ctx
            )


def read_date(field: str, text: str) -> date:
    """A date such as 2026-03-02.

    Raises:
        InvalidInput: it is none, or not within 1970 to 2199.
    """
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise InvalidInput(field, "date_bad", "Give a date as year-month-day, such as 2026-03-02.")
    return found


def read_time(field: str, text: str) -> time:
    """A time of day such as 22:30.

    Raises:
        InvalidInput: it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(field, "bedtime_bad", "Give a time of day as 22:30 (24 hours).")
    return time(int(match[1]), int(match[2]))


def read_instant(field: str, text: str) -> datetime:
    """An ISO 8601 instant with its offset, in UTC.

    Raises:
        InvalidInput: it is none, or has no offset.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput(
            field,
            "instant_bad",
            "Give a date and time with its offset, such as 2026-03-02T09:15-05:00.",
        )
    return found.astimezone(UTC)
