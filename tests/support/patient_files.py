"""Files of patients that tests import."""

from __future__ import annotations

import io
from collections.abc import Sequence

from service.enrolment.bulk.scan import Open

COLUMNS = (
    *("given_name", "phone", "email", "language", "timezone", "bedtime", "visit_date"),
    *("series", "clinic", "consent"),
)
ANA = {
    "given_name": "Ana",
    "phone": "+15035550142",
    "email": "ana@example.org",
    "language": "en",
    "timezone": "America/New_York",
    "bedtime": "22:30",
    "visit_date": "2026-11-22",
    "series": "restless-legs",
    "clinic": "riverside",
    "consent": "both",
}


def row(**cells: str) -> dict[str, str]:
    """Ana's row with other cells."""
    return ANA | cells


def patient(number: int, **cells: str) -> dict[str, str]:
    """The row of somebody whose phone and mailbox nobody else has."""
    phone, email = f"+1503{2_000_000 + number}", f"patient{number}@example.org"
    return row(given_name=f"Pat{number}", phone=phone, email=email) | cells


def text(
    *rows: dict[str, str], columns: Sequence[str] = COLUMNS, separator: str = ",", end: str = "\r\n"
) -> str:
    """A file of rows."""
    lines = [separator.join(columns)]
    lines += [separator.join(each.get(column, "") for column in columns) for each in rows]
    return end.join(lines) + end


def opens(content: str | bytes) -> Open:
    """What opens such a file."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda: io.BytesIO(raw)
