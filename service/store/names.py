"""A person's name as it is looked up: however it is typed, the same name gives the same text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_APOSTROPHES: Final = re.compile(r"[\u0027\u0060\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u2032]")
_BETWEEN: Final = re.compile(r"[\W_]+")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
"""Letters that Unicode does not take apart into one without a mark and its mark."""


def normalised_name(text: str) -> str:
    """A whole name in lower case, without accents, with one space between its parts.

    Apostrophes are left out, so that ``O'Neil`` is found as ``oneil``; dashes and dots are
    spaces. What holds no letter at all stays as it is typed but for its case and its spaces.
    """
    plain = text.casefold()
    if not plain.isascii():  # most names are, and have nothing to be taken off
        apart = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
        plain = plain.casefold().translate(_LETTERS)
    folded = _APOSTROPHES.sub("", plain)
    return " ".join(_BETWEEN.sub(" ", folded).split()) or " ".join(text.casefold().split())
