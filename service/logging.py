"""Structured logs on stderr, one JSON object a line, without patient data.

Only named fields are logged, and their values are ids and codes of ours. As a second line of
defence every text is searched for what looks like a phone number or a mailbox before it is written.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_KEPT_DIGITS = (
    r"(?P<kept>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"  # a UUID, as of a task
    r"|(?<![\d-])(?:19|20)\d\d-[01]\d-[0-3]\d(?![\d-])"  # a date, ISO 8601, with its time
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?(?!\d))?)"
)
_NUMBER = (
    r"\+\d[\d\s().-]{8,}\d"
    # Without its plus, as a word of its own, not in the middle of a hexadecimal id. What escapes
    # leave before it (%28 of a form, the n of a \\n) is none of the word, nor is an extension.
    r"|(?:(?<![^\W_])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    r"\d[\d\s().-]{8,}\d"
    r"(?![^\W_](?<!x)(?!xt))"
)
_PHONE = re.compile(f"{_KEPT_DIGITS}|{_NUMBER}")
_MAILBOX = re.compile(
    # The form that a remedy shows; an address of anybody has a dot in its host, or is no such URL.
    r"(?P<kept>\bsmtps?://user:pass(?:word)?@host(?![\w-]|\.\w))"
    r"|[^\s<>\"'@|=]+@[^\s<>\"'@|]+"
)
_TOKEN = re.compile(r"(/[up]/)[\w~.-]+")
_SUSPECT = re.compile(r"[\d@/]")
"""What each of the three has one of: most texts that are logged are words and have none."""
_NUMERIC = frozenset({"timestamp"})


def redact(text: str) -> str:
    """The text with numbers, mailboxes and link tokens blotted out."""
    if not _SUSPECT.search(text):
        return text
    text = _TOKEN.sub(r"\1[token]", text)
    text = _MAILBOX.sub(lambda found: found["kept"] or "[mailbox]", text)
    return _PHONE.sub(lambda found: found["kept"] or "[number]", text)


def _redacted(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in _NUMERIC:
            event[key] = redact(value)
    return event


class _Redacting(logging.Formatter):
    """Formats records of libraries the same way, redacted too."""

    def __init__(self) -> None:
        super().__init__()
        self._render = structlog.processors.JSONRenderer()
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def format(self, record: logging.LogRecord) -> str:
        event: MutableMapping[str, Any] = {
            "event": redact(record.getMessage()),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.exc_info:
            event["exception"] = redact(self.formatException(record.exc_info))
        return str(self._render(None, "", self._stamp(None, "", event)))


def configure_logging(level: str) -> None:
    """Send our logs, every library's and Python's warnings to stderr.

    Args:
        level: least severity: debug, info, warning or error.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)  # noqa: FBT003 - the library's signature
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redacted,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
