"""Stdout and stderr as commands need them: any text can be written, and a failure shows."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDOUT, _STDERR = 1, 2
_PLAIN = str.maketrans(
    "\u2500\u2501\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u2022\u00a0", "----''\"\".* "
)
"""Rules, dashes, quotes, an ellipsis, a bullet, a hard space -> ASCII, a letter each."""


class _Watched(io.FileIO):
    """Stdout that remembers why it could not be written: an `OSError` alone does not say where."""

    fault: OSError | None = None

    def write(self, text: ReadableBuffer, /) -> int:
        try:
            return super().write(text)
        except OSError as fault:
            self.fault = fault
            raise


def prepare() -> None:
    """Let both take any text; let a closed stdout fail where it is written, not before.

    A terminal that lacks a letter shows a plainer one or a question mark; it stops no command.
    """
    codecs.register_error("plainly", _plainly)
    if sys.stdout is None:  # closed by whoever started us: a file must not get its number
        _occupy(_STDOUT, os.O_RDONLY)
        sys.stdout = _watched("utf-8")
    elif _number(sys.stdout) == _STDOUT and _raw(sys.stdout) is None:
        sys.stdout.flush()
        sys.stdout = _watched(sys.stdout.encoding)
    if sys.stderr is None:
        _occupy(_STDERR, os.O_WRONLY)
        sys.stderr = os.fdopen(_STDERR, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plainly")


def fault_of_stdout() -> OSError | None:
    """What kept stdout from being written, if anything did; what it still holds is let go then."""
    raw = _raw(sys.stdout)
    if raw is None or raw.fault is None:
        return None
    _occupy(_STDOUT, os.O_WRONLY)
    sys.stdout.flush()
    return raw.fault


def _watched(encoding: str) -> io.TextIOWrapper:
    raw = _Watched(_STDOUT, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, line_buffering=os.isatty(_STDOUT)
    )


def _raw(stream: TextIO) -> _Watched | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Watched) else None


def _number(stream: TextIO) -> int | None:
    """Its file's number; None for one without, as where a test looks on."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _occupy(number: int, how: int) -> None:
    null = os.open(os.devnull, how)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def _plainly(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    letters = fault.object[fault.start : fault.end].translate(_PLAIN)
    return "".join(letter if letter.isascii() else "?" for letter in letters), fault.end
