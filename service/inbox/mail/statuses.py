"""What a status says of the mailbox (RFC 3463, and the registry of RFC 5248)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

GENERIC: Final = frozenset({"4.0.0", "5.0.0", "4.5.0", "5.5.0"})
"""These say nothing; the words beside them often do."""
_ABOUT_SENDER: Final = frozenset({"7", "8"})
_NUMBER: Final = r"([245])\.([0-7])\.(\d{1,3})"
_APART: Final = r"(?<![\d.])", r"(?!\.?\d)"
_AFTER_CODE: Final = re.compile(rf"(?:\b[245]\d\d[- ]|#)\s?{_NUMBER}{_APART[1]}")
_ANYWHERE: Final = re.compile(rf"{_APART[0]}{_NUMBER}{_APART[1]}")
_CODE: Final = re.compile(
    r"(?<![\d.])(?:smtp;\s*|said:\s*|error:?\s*)?([45])[0-5]\d[- ]\s?[A-Za-z<]"
)


class Severity(StrEnum):
    """What a bounce means for the mailbox."""

    DEAD = "dead"
    """It does not exist: nothing is sent to it any more."""
    COUNTED = "counted"
    """Full, disabled, away, or nobody says why: too many of these, and it counts as dead."""
    OURS = "ours"
    """About us or the message, not about the mailbox."""


def severity(status: str) -> Severity:
    """What an enhanced status of a failure means.

    Args:
        status: such as ``5.1.1``; empty where none was told.
    """
    kind, _, rest = status.partition(".")
    subject, _, detail = rest.partition(".")
    if subject == "1" and kind == "5":
        return Severity.OURS if detail in _ABOUT_SENDER else Severity.DEAD
    if subject in {"6", "7"} or (subject, detail) in {("3", "4"), ("2", "3")}:
        return Severity.OURS  # content, policy, or the message is too large
    return Severity.COUNTED


def status_in(text: str) -> str:
    """The status that a mail server's words hold; ``4.0.0`` or ``5.0.0`` from a bare reply code.

    One that stands after a reply code or a ``#`` goes before any other: words hold versions and
    addresses that look alike. Empty where there is none.
    """
    found = _AFTER_CODE.search(text) or _ANYWHERE.search(text)
    if found is not None and not found[0].startswith("2"):
        return ".".join(found.groups())
    code = _CODE.search(text)
    return f"{code[1]}.0.0" if code else ""
