"""Whether the letters of a name are the ones that somebody typed.

A file of single bytes does not tell its encoding, and tools that guess it from a few names are
wrong more often than not (we tried). So a name that was read as Windows-1252, which spreadsheets
write in the West, has to look like one; where one does not, the file is refused with a remedy.
"""

from __future__ import annotations

import re
from typing import Final

_LETTERS: Final = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff"
_SMALL: Final = "\u00df-\u00f6\u00f8-\u00ff"
_MARKS: Final = "\u2018\u2019\u201c\u201d\u2013\u2014\u00a0\u00aa\u00ba\u00b4"
_FOREIGN: Final = re.compile(rf"[^\x00-\x7f{_LETTERS}{_MARKS}]")
"""The places where the Macintosh and DOS have their accented letters hold no letters here."""
_OPENING: Final = re.compile(r"(?<=\w)[\u2018\u201c]")
_WITHIN: Final = re.compile(
    rf"(?<=\w)[\u201d\u2013\u2014\u00a0\u00aa\u00ba\u00b4](?=[a-z{_SMALL}])"
)
_APOSTROPHE: Final = re.compile(rf"(?<=\w\w)\u2019(?!s\b)(?=[a-z{_SMALL}])")
"""``Garc'a``; O'Neill and D'Angelo have a single letter before it."""
_RUN: Final = re.compile(rf"(?:(?![\u00df\u00f1])[{_LETTERS}]){{2}}")
"""Two accented letters side by side, as hardly in any Western name without an ñ or a ß."""
_SMALL_FIRST: Final = re.compile(rf"\b[{_SMALL}](?=[a-z])")
_NEVER: Final = (_FOREIGN, _OPENING, _WITHIN, _APOSTROPHE, _RUN, _SMALL_FIRST)
_GARBLED: Final = ("cp1252", "latin-1", "mac_roman", "cp850")


def is_plausible(name: str) -> bool:
    """Whether a name that was read as Windows-1252 can have been written so."""
    return name.isascii() or not any(pattern.search(name) for pattern in _NEVER)


def is_garbled(text: str) -> bool:
    """Whether a text was read in a wrong encoding before it came to us, as ``JosÃ©`` was."""
    if text.isascii():
        return False
    return "\ufffd" in text or any(_was_utf8(text, encoding) for encoding in _GARBLED)


def _was_utf8(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    return True
