"""The patient's own words in an answer: without what was quoted, and without signatures.

Mail programs agree on nothing, so this is a list of what the usual ones write in English and
Spanish. In doubt a line is kept: staff would rather read too much than miss a word. Each pattern
looks at one short line (or two, where an attribution was wrapped), so that none can take long.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_LINE: Final = 400
"""An attribution or a separator is not longer; a longer line is the patient's."""
_ATTRIBUTION: Final = re.compile(
    r"(?:on|el|le|em|am)\b.{4,300}(?:wrote|escribi[óo]|va escriure|a écrit|escreveu|schrieb)\s*:"
    r"|.{3,200}<[^<>\s]+@[^<>\s]+>\s*(?:wrote|escribi[óo])\s*:",
    re.IGNORECASE,
)
_OPENS_ATTRIBUTION: Final = re.compile(r"(?:on|el)\s.{4,300}", re.IGNORECASE)
_SEPARATOR: Final = re.compile(
    r"[-_\s]*(?:original message|mensaje original|forwarded message|mensaje reenviado"
    r"|reply message|begin forwarded message:?)[-_\s]*",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"_{10,}|-{20,}|\*{20,}")
_HEADER: Final = re.compile(
    r"\W{0,3}(?P<name>from|de|sent|enviado(?: el)?|date|fecha|to|para|subject|asunto)\W{0,3}:.+",
    re.IGNORECASE,
)
_FIRST: Final = frozenset({"from", "de"})
_SIGNATURE: Final = re.compile(
    r"--\s?|(?:sent|get outlook|enviado|mandado|obtener outlook|yahoo mail)\b"
    r"(?=.{0,80}\b(?:iphone|ipad|android|galaxy|samsung|outlook|mail|mobile|phone|m[óo]vil|"
    r"celular|tel[ée]fono|dispositivo|device|blackberry|correo|windows)\b).{0,120}",
    re.IGNORECASE,
)
_MOST_HEADERS_APART: Final = 3


def own_words(text: str) -> str:
    """What the sender wrote above, and between, what was quoted; without blank ends.

    Where nothing is left of it, everything that is not marked as quoted.
    """
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        announced = _attribution(lines, number)
        if announced and _is_quoted_next(lines, number + announced):
            number += announced  # the patient may go on below what it announces
            continue
        if announced or _ends(lines, number):
            break
        if not line.startswith(">"):
            kept.append(line)
        number += 1
    if kept and _RULE.fullmatch(kept[-1]):
        kept.pop()
    return _tidy(kept) or _tidy([line for line in lines if not line.startswith(">")])


def _ends(lines: list[str], number: int) -> bool:
    """Whether the quoted mail or the signature begins here."""
    line = lines[number]
    if not line or len(line) > LONGEST_LINE:
        return False
    if _SEPARATOR.fullmatch(line) or _SIGNATURE.fullmatch(line):
        return True
    return _headers_begin(lines, number)


def _attribution(lines: list[str], number: int) -> int:
    """How many lines say who wrote what is quoted next: none, one, or two where it was wrapped."""
    line = lines[number]
    if not line or len(line) > LONGEST_LINE:
        return 0
    if _ATTRIBUTION.fullmatch(line):
        return 1
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return 2 if _wrapped(line, following) else 0


def _is_quoted_next(lines: list[str], number: int) -> bool:
    nearby = (line for line in lines[number : number + 4] if line)
    return next(nearby, "").startswith(">")


def _wrapped(line: str, following: str) -> bool:
    """Whether an attribution goes over two lines, as mail programs wrap it."""
    if not _OPENS_ATTRIBUTION.fullmatch(line) or len(following) > LONGEST_LINE:
        return False
    return _ATTRIBUTION.fullmatch(f"{line} {following}") is not None


def _headers_begin(lines: list[str], number: int) -> bool:
    """Whether the headers of a quoted mail stand here, as Outlook puts them: From, and two more."""
    first = _HEADER.fullmatch(lines[number])
    if first is None or first["name"].lower() not in _FIRST:
        return False
    nearby = (one for one in lines[number + 1 : number + 8] if len(one) <= LONGEST_LINE)
    found = {match["name"].lower() for match in map(_HEADER.fullmatch, nearby) if match}
    return len(found - _FIRST) >= _MOST_HEADERS_APART - 1


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
