"""Where everything stands on the poster."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import segno

from service.enrolment.wordings import Wording
from service.poster.shapes import (
    BOLD,
    DEEP,
    INK,
    PALE,
    PLAIN,
    SOFT,
    WASH,
    WHITE,
    Box,
    Code,
    Page,
    Text,
    balanced,
    block,
    line,
    measured,
)

PAPERS: Final = {"letter": (612.0, 792.0), "a4": (595.276, 841.89)}
"""Width and height in points."""
_LETTER_COUNTRIES: Final = frozenset({"US", "CA", "MX", "PH", "CL", "CO", "VE"})
_MARGIN: Final = 48.0
_BAND: Final = 206.0
_CODE: Final = 232.0
_QUIET: Final = 4
"""Modules that have to stay light around a code (ISO/IEC 18004)."""
_WORDS: Final = Path(__file__).with_name("words.toml")


@dataclass(frozen=True, slots=True)
class Content:
    """What the poster says.

    Attributes:
        clinic: its name.
        phone: its number, as it stands in the wording.
        url: that the code holds; without its scheme it is printed.
        word, number: to join by text; None where one cannot.
        wording: as the clinic's patients are shown it.
    """

    clinic: str
    phone: str
    url: str
    word: str | None
    number: str | None
    wording: Wording


def paper_of(country: str) -> str:
    """The paper that a country's printers hold."""
    return "letter" if country in _LETTER_COUNTRIES else "a4"


def laid_out(content: Content, paper: str) -> Page:
    """The page, in the language of its wording.

    Args:
        content: what it says.
        paper: of ``PAPERS``.
    """
    width, height = PAPERS[paper]
    say = _words(content.wording.language)
    small, small_top = _small_print(content, say, width, height)
    head, head_bottom = _head(content, say, width)
    room = small_top - head_bottom
    steps_height = max(_CODE, _steps(content, say, 0, 0, 1e3)[1])
    top = head_bottom + max(12.0, (room - steps_height) / 2)
    column = _MARGIN + _CODE + 34
    steps, steps_bottom = _steps(content, say, column, top, width - _MARGIN - column)
    shift = max(0.0, (_CODE - (steps_bottom - top)) / 2)
    steps, _ = _steps(content, say, column, top + shift, width - _MARGIN - column)
    return Page(
        width=width,
        height=height,
        language=content.wording.language,
        title=say["title"].format(clinic=content.clinic),
        description=f"{say['headline']}. {say['what']} {_shown(content.url)}",
        shapes=(*head, *_code(content.url, _MARGIN, top), *steps, *small),
    )


def _head(content: Content, say: dict[str, str], width: float) -> tuple[list[Box | Text], float]:
    room = width - 2 * _MARGIN
    name = _fitting(content.clinic, 22, BOLD, room)
    found: list[Box | Text] = [
        Box(0, 0, width, _BAND, DEEP),
        line(_MARGIN, 66, content.clinic, name, BOLD, PALE),
    ]
    narrow = balanced(say["headline"], 43, BOLD, room)
    headline, _ = block(_MARGIN, 84, say["headline"], 43, BOLD, WHITE, narrow)
    what, bottom = block(_MARGIN, _BAND + 26, say["what"], 16, PLAIN, INK, room)
    return [*found, *headline, *what], bottom


def _steps(
    content: Content, say: dict[str, str], x: float, top: float, width: float
) -> tuple[list[Text], float]:
    """The ways to join, beside the code; and their lower edge."""
    ways = [(say["scan"], say["scan_how"], PLAIN), (say["type"], _shown(content.url), BOLD)]
    if content.word and content.number:
        how = say["text_how"].format(number=_unbroken(content.number))
        ways.append((say["text"].format(word=content.word), how, PLAIN))
    found: list[Text] = []
    y = top
    for heading, how, font in ways:
        lines, y = block(x, y, heading, 21, BOLD, DEEP, width)
        found += lines
        lines, y = block(x, y + 3, how, 14, font, INK, width)
        found += lines
        y += 18
    return found, y - 18


def _small_print(
    content: Content, say: dict[str, str], width: float, height: float
) -> tuple[list[Box | Text], float]:
    """The disclosures in two columns above the lower edge; and their upper edge."""
    wording, gap, size = content.wording, 22.0, 8.6
    column = (width - 2 * _MARGIN - gap) / 2
    told = [
        *(text.replace(content.phone, _unbroken(content.phone)) for text in wording.disclosures),
        say["version"].format(version=wording.name),
    ]
    heights = [block(0, 0, text, size, PLAIN, SOFT, column)[1] + 3 for text in told]
    left = _halfway(heights)
    tall = max(sum(heights[:left]), sum(heights[left:]))
    top = height - 30 - tall - 40
    found: list[Box | Text] = [Box(0, top - 26, width, height - top + 26, WASH)]
    found.append(line(_MARGIN, top + 2, say["ask"], 11, BOLD, INK))
    found.append(line(_MARGIN, top + 26, wording.title, 9.5, BOLD, SOFT))
    for number, texts in enumerate((told[:left], told[left:])):
        y = top + 36
        for text in texts:
            lines, y = block(_MARGIN + number * (column + gap), y, text, size, PLAIN, SOFT, column)
            found += lines
            y += 3
    return found, top - 26


def _halfway(heights: list[float]) -> int:
    """Where to part a list into two columns, so that the taller one is as low as can be."""
    cuts = range(1, len(heights) + 1)
    return min(cuts, key=lambda cut: max(sum(heights[:cut]), sum(heights[cut:])))


def _code(url: str, x: float, y: float) -> tuple[Box | Code, ...]:
    rows = tuple(
        tuple(bool(module) for module in row)
        for row in segno.make(url, error="q", micro=False).matrix
    )
    module = _CODE / (len(rows) + 2 * _QUIET)
    edge = module * _QUIET
    return (
        Box(x, y, _CODE, _CODE, WASH, 14),
        Box(x + 6, y + 6, _CODE - 12, _CODE - 12, WHITE, 10),
        Code(x + edge, y + edge, _CODE - 2 * edge, rows),
    )


def _fitting(words: str, size: float, font: str, width: float) -> float:
    """A size at which a line fits."""
    return min(size, size * width / max(1.0, measured(words, size, font)))


def _unbroken(number: str) -> str:
    return number.replace(" ", "\u00a0")


def _shown(url: str) -> str:
    return url.partition("://")[2] or url


@cache
def _words(language: str) -> dict[str, str]:
    table: dict[str, dict[str, str]] = tomllib.loads(_WORDS.read_text("utf-8"))
    return table[language]
