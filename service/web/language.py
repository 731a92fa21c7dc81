"""Which language a page is in, and the words of the pages in each.

``words/<group>.toml`` holds the words of a group of pages: one table a language, with the same keys
in each. A template takes them from ``words.<group>.<key>`` and holds none of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends, Request

LANGUAGES: Final = ("en", "es")
"""Those that every page has; the first is for a reader of whom nothing is known."""

Words = Mapping[str, Mapping[str, str]]

_WORDS: Final = Path(__file__).parent / "words"
# RFC 9110 section 12.5.4: a language range, and its weight from 0 to 1 with three decimals at most.
_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE,
)


@cache
def words(language: str) -> Words:
    """Return group -> key -> text in one of ``LANGUAGES``."""
    groups = sorted(_WORDS.glob("*.toml"))
    return {path.stem: tomllib.loads(path.read_text("utf-8"))[language] for path in groups}


def preferred(accept_language: str) -> str:
    """Return the language of ours that a browser asks for most, in whatever country's form.

    Args:
        accept_language: the header; what cannot be read of it is passed over.
    """
    ranges = map(_RANGE.fullmatch, accept_language.split(","))
    asked = [(float(found[2] or 1), found[1].lower()) for found in ranges if found]
    ours = [(weight, language) for weight, language in asked if weight and language in LANGUAGES]
    return max(ours, key=lambda each: each[0], default=(0.0, LANGUAGES[0]))[1]


def spoken(patients: Iterable[str], browser: str) -> str:
    """Return the language of a page: the one that all its patients share, else the browser's.

    Args:
        patients: their languages; those that pages are not written in do not count.
        browser: from ``BrowserLanguage``.
    """
    theirs = set(patients) & set(LANGUAGES)
    return theirs.pop() if len(theirs) == 1 else browser


async def _browser_language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


BrowserLanguage = Annotated[str, Depends(_browser_language)]
"""What the reader's browser asks for, as a parameter of a route: one of ``LANGUAGES``."""
