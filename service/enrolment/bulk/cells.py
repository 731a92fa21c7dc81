"""What spreadsheets make of cells, undone where nothing is lost by it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_MIDNIGHT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00(?::00(?:\.0+)?)?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::00)?(?:\s*([ap])\.?\s?m\.?)?", re.IGNORECASE)
_DAY: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_NOON: Final = 12


def time_of_day(cell: str) -> str:
    """A time such as ``10:30 PM`` or ``22:30:00`` on a clock of 24 hours; others as they are."""
    match = _CLOCK.fullmatch(cell.strip())
    if match is None:
        return cell
    hour, minute, half = int(match[1]), match[2], (match[3] or "").lower()
    if half and not 1 <= hour <= _NOON:
        return cell
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    return f"{hour}:{minute}"


def day(cell: str, order: str) -> str:
    """A day in ISO's form where it was written in the told order; others as they are.

    Args:
        cell: as it stands in the file.
        order: ``iso``, ``mdy`` or ``dmy``.
    """
    text = cell.strip()
    match = _MIDNIGHT.fullmatch(text)
    if match:
        return match[1]
    match = _DAY.fullmatch(text) if order != "iso" else None
    if match is None:
        return cell
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    month, in_month = (first, second) if order == "mdy" else (second, first)
    try:
        return date(year, month, in_month).isoformat()
    except ValueError:
        return cell
