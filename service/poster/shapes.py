"""What a page is drawn of, in points (1/72 inch) from its upper left corner; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PLAIN: Final = "Helvetica"
BOLD: Final = "Helvetica-Bold"
"""The two fonts; every printer has them, so none has to be sent along."""

INK: Final = "#1d2b2a"
SOFT: Final = "#4b5f5d"
DEEP: Final = "#0f4f49"
PALE: Final = "#a5e0d8"
WASH: Final = "#eef2f1"
WHITE: Final = "#ffffff"


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, its corners round where ``radius`` is not 0."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Text:
    """One line.

    Attributes:
        x: where it begins.
        y: its baseline.
        width: as measured, so that another font in its place takes no more room.
    """

    x: float
    y: float
    words: str
    size: float
    font: str
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code: dark modules by row, from its upper left corner."""

    x: float
    y: float
    size: float
    rows: tuple[tuple[bool, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page.

    Attributes:
        title: what it is called.
        description: what it says, for those who cannot see it.
    """

    width: float
    height: float
    language: str
    title: str
    description: str
    shapes: tuple[Box | Text | Code, ...]


def measured(words: str, size: float, font: str) -> float:
    """How wide a line is, in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415 - slow to load

    return float(stringWidth(words, font, size))


def line(x: float, y: float, words: str, size: float, font: str, colour: str) -> Text:
    """One line of text, measured."""
    return Text(x, y, words, size, font, colour, measured(words, size, font))


def wrapped(words: str, size: float, font: str, width: float) -> list[str]:
    """Lines of at most a width, broken at spaces, and after slashes where there is no other way.

    A space that does not break stays.
    """
    lines: list[str] = []
    for word in words.split(" "):
        parts = [word]
        if measured(word, size, font) > width:
            parts = [part + "/" for part in word.split("/")]
            parts[-1] = parts[-1].removesuffix("/")
        for number, part in enumerate(parts):
            glue = "" if number else " "
            longer = f"{lines[-1]}{glue}{part}" if lines else part
            if lines and measured(longer, size, font) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def balanced(words: str, size: float, font: str, width: float) -> float:
    """The least width at which a text takes no more lines than at ``width``."""
    lines = len(wrapped(words, size, font, width))
    longest = max(measured(word, size, font) for word in words.split(" "))
    while width > longest and len(wrapped(words, size, font, width - 4)) == lines:
        width -= 4
    return width


def block(
    x: float, y: float, words: str, size: float, font: str, colour: str, width: float
) -> tuple[list[Text], float]:
    """A paragraph from an upper edge down; its lines, and its lower edge."""
    leading = size * 1.32
    found = [
        line(x, y + size * 0.95 + leading * number, words, size, font, colour)
        for number, words in enumerate(wrapped(words, size, font, width))
    ]
    return found, y + leading * len(found)
