"""How many segments a text is sent, and paid, as.

Source of the tables: 3GPP TS 23.038 section 6.2.1 (GSM 7-bit default alphabet and its extension
table); of the lengths: TS 23.040 section 9.2.3.24.1 (a joined message spends 6 octets of each part
on a header: 7 septets, 3 UCS-2 units).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Encoding = Literal["GSM-7", "UCS-2"]

# Row by row as the standard prints it, without the escape at 0x1B, which is no character.
GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_GSM: Final = GSM_BASIC | GSM_EXTENSION
_ASTRAL: Final = "\U00010000"  # from here on UTF-16 needs a surrogate pair

SINGLE_LIMIT: Final[dict[Encoding, int]] = {"GSM-7": 160, "UCS-2": 70}
JOINED_LIMIT: Final[dict[Encoding, int]] = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text travels.

    Attributes:
        encoding: "GSM-7" where every character is in that alphabet, else "UCS-2" for all of it.
        units: septets (GSM-7) or UTF-16 units (UCS-2), segment headers not counted.
        count: segments; 0 for an empty text.
    """

    encoding: Encoding
    units: int
    count: int


def outside_gsm7(text: str) -> tuple[str, ...]:
    """Return the characters that would turn the text UCS-2, each once, in order of appearance."""
    return tuple(dict.fromkeys(character for character in text if character not in _GSM))


@lru_cache(maxsize=4096)
def segment(text: str) -> Segments:
    """Count a text's encoding, units and segments as a carrier will.

    A two-unit character (GSM extension, UTF-16 pair) is never split between two segments, so the
    units left over at a segment's end are lost. The text must be what is sent, to the character:
    a provider's "smart encoding" has to be off.
    """
    if _GSM.issuperset(text):
        widths = [2 if character in GSM_EXTENSION else 1 for character in text]
        return _counted("GSM-7", widths)
    return _counted("UCS-2", [1 if character < _ASTRAL else 2 for character in text])


def _counted(encoding: Encoding, widths: list[int]) -> Segments:
    units = sum(widths)
    if units <= SINGLE_LIMIT[encoding]:
        return Segments(encoding, units, min(units, 1))
    return Segments(encoding, units, _parts(widths, JOINED_LIMIT[encoding]))


def _parts(widths: Iterable[int], limit: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > limit:
            parts, used = parts + 1, 0
        used += width
    return parts
