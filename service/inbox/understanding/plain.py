"""The plain form of a text, which the rules are about: what was said, however it was typed.

``plain("Pls don't STOP!! 😀")`` is one sentence, ``please do not stop``. Case, accents, emoji,
letters of other alphabets that look alike, letters spaced or drawn out, contractions and the
commonest errors are evened out here, so that the rules can be about what people mean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from service.inbox.understanding.spelling import Spelling, spelling

MOST_LETTERS: Final = 1_600
"""The longest text that a provider passes on; what lies beyond is not read."""
MOST_SHOUTED: Final = 0.6
"""A text of which more letters are capitals is shouted: its capitals say nothing."""
PARTS: Final = ","
"""The word that stands for a comma."""

_QUOTES: Final = str.maketrans(dict.fromkeys("\u2019\u2018`\u00b4\u02bc\u2032\uff07\u201b", "'"))
_HALVES: Final = str.maketrans(dict.fromkeys("\u00bd\u00bc\u00be\u2153\u2154", " and a half "))
_HALF: Final = re.compile(r"(?<=\d) [13]/[234]\b")
_SPACED: Final = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .,\-_*~/\\|]{1,3}[^\W\d_]){2,12}(?![^\W_])")
_SWEARING: Final = re.compile(r"\bf[*#@$%!\-]+(?=[a-z]*\b)[a-z]*|\bf[*#@$%!]{2,}", re.IGNORECASE)
_FINISHED: Final = re.compile(
    r"\b(?:(?:termin|acab)é\b|(?:dej|quit|par|cancel|borr)é"
    r"(?= (?:de|el|la|los|las|mi|mis|en|un|una)\b)(?! de (?:mand|envi|escrib|molest|text|llam)))",
    re.IGNORECASE,
)
"""What only an accent tells from an order (``terminé``, ``termine``)."""
_OURS: Final = (
    "texts?|messages?|msgs?|txts?|emails?|tips|reminders?|notifications?|alerts?|lectures?|surveys?"
)
_TOPIC: Final = re.compile(
    r"\b(?:restless )?(?:legs?|rls|veins?|sleep|coffee|caffeine|smoking|walking|exercise|pain)"
    rf" (?={_OURS}\b)"
    r"|\b(?:restless legs?|legs?|rls|veins?)"
    r" (?=(?:program|study|list|stuff|thing|service|updates?)\b)"
    r"|(?<=s)(?<!legs) (?:about|regarding) (?:my |the |your )?(?:restless )?"
    r"(?:legs?|rls|sleep|coffee|walking)"
    r"(?=\W*$|[.,!?]| (?:please|any ?more|now|thanks|so|or)\b)",
    re.IGNORECASE,
)
"""What our messages are about is no word of the body where somebody says what is to stop."""
_NAMED_SO: Final = re.compile(
    r"\b(?:cedar|hope|toy|tool|medicine|treasure|ice|linen|blanket) chest\b"
    r"|\bchest (?=freezer|of drawers)"
    r"|\b(?:foot|feet) (?=of (?:the|my|our|a) (?:bed|stairs?|steps|hill|mountain|page"
    r"|driveway|ramp))"
    r"|\b(?:table|chair|lamb|turkey|chicken|bed) legs?\b|\blegs? (?=of (?:lamb|the table|the trip))"
    r"|(?<=\d )(?:foot|feet) (?=(?:of|tall|long|wide|high|deep|away|from)\b)"
    r"|\b(?:(?:swollen|cold|numb|sore|chest|legs?|foot|feet|clots?|blood|pain|breathing|wound|ulcer"
    r"|swelling|dvt|edema|heart|attack|stroke|suicide|prevention|warning|signs?|care|diabetic|and|&)"
    r" ){1,5}(?=(?:handouts?|leaflets?|brochures?|pamphlets?|flyers?|booklets?|worksheets?|posters?"
    r"|articles?|infographics?)\b)",
    re.IGNORECASE,
)
"""Things and papers called after the body: whoever names them tells of no sign."""
_PIECES: Final = re.compile(
    r"(?P<range>(?<![\w/.\-])\d{1,2} ?(?P<between>[-\u2013\u2014/~]) ?\d{1,2}(?:/10)?"
    r"(?![\w/\-]|[.,:]\d))"
    r"|(?P<opaque>[$€£+]\d[\d.,:]*|-\d+(?:\.\d+)?|\d+(?:[.,:/\-]\d+)+[a-zA-Z%]*|\d+%|\d+°|\d+'\d+)"
    r"|#?(?P<number>\d+)(?P<ish>(?i:-?ish))?(?![\w%])"
    r"|(?P<word>\$?[^\W_](?:[\w'$@]|\*(?=\w)|-(?=\w))*)"
    r"|(?P<sign>,| [-\u2013\u2014]+ |--+|[.!?;:\n\r()\[\]{}\"|*~/+&=]"
    r"|[\u2026\u00a1\u00bf\u201c\u201d\u201e\u00ab\u00bb\u2013\u2014\u2022])"
)
_ELIDED: Final = re.compile(r"([cdjlmnst]|qu)'([^\W\d_]{2,})")
"""French words that lean on the next (``m'envoyer``)."""
_SIGN: Final = re.compile(r"(?<=[a-zA-Z] )#(?!\w)|(?<=wrong)#", re.IGNORECASE)
_WHOLE: Final = re.compile(r"^0*(\d+)[.,]0$")
"""A number with nothing behind its point."""
_TITLES: Final = re.compile(r"\b(dr|mr|mrs|ms|sr|sra|srta|st|vs)\.(?=\s*[^\W\d_])", re.IGNORECASE)
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in its plain form.

    Attributes:
        words: lower-case; ``","`` for a comma.
        titled: the places (bits) of words that begin with a capital, where that says something.
        shouted: the places of words all in capitals, where the text as a whole is not.
        asks: whether it ends with a question mark.
    """

    words: tuple[str, ...]
    titled: int = 0
    shouted: int = 0
    asks: bool = False


def plain(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text in plain words; none where it says nothing in words."""
    rules = spelling()
    folded = _folded(text[:MOST_LETTERS], rules)
    if rules.is_reaction(folded):
        return ()
    folded = _SIGN.sub(" number ", folded)
    folded = _TITLES.sub(r"\1 ", _HALF.sub(" and a half", folded))
    folded = _SWEARING.sub(" fucking ", rules.without_signature(folded))
    folded = _NAMED_SO.sub("", folded)
    folded = _TOPIC.sub(
        "", rules.mended(_SPACED.sub(lambda found: _together(found[0], rules), folded))
    )
    letters = [letter for letter in folded if letter.isalpha()]
    shouts = sum(map(str.isupper, letters)) > MOST_SHOUTED * len(letters)
    return tuple(_sentences(folded, rules, shouts=shouts))


def _folded(text: str, rules: Spelling) -> str:
    """Latin letters without accents, case kept; emoji in words."""
    spoken = rules.spoken(text).translate(_HALVES)
    composed = _FINISHED.sub("he dejado", unicodedata.normalize("NFKC", spoken))
    parted = unicodedata.normalize("NFKD", composed)
    kept = "".join(c for c in parted if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    return kept.translate(_QUOTES).translate(rules.lookalikes)


def _together(spaced: str, rules: Spelling) -> str:
    """Spaced letters as a word where they are one that people spell out."""
    letters = "".join(filter(str.isalpha, spaced))
    return letters if letters.casefold() in rules.spelled_out else spaced


def _sentences(folded: str, rules: Spelling, *, shouts: bool) -> Iterator[Sentence]:
    words: list[str] = []
    titled = shouted = 0
    for found in _PIECES.finditer(folded):
        sign = found["sign"]
        if sign is not None and sign != PARTS:
            if sign.strip() not in {"/", "+", "&", "="}:
                if words:
                    yield _ended(words, titled, shouted, asks=sign == "?")
                words, titled, shouted = [], 0, 0
            continue
        place = 1 << len(words)
        piece = found[0]
        if found["word"] and not shouts:
            titled |= place * (bool(words) and piece[0].isupper() and not piece.isupper())
            shouted |= place * (piece.isupper() and len(piece) > 1)
        words += _spelled_piece(found, rules)
    if words:
        yield _ended(words, titled, shouted, asks=False)


def _ended(words: list[str], titled: int, shouted: int, *, asks: bool) -> Sentence:
    while words and words[-1] == PARTS:
        words.pop()
    return Sentence(tuple(words), titled, shouted, asks)


def _spelled_piece(found: re.Match[str], rules: Spelling) -> tuple[str, ...]:
    if found["range"]:
        low, high = re.findall(r"\d+", found["range"])[:2]
        if found["between"] == "/" and high == "10":
            return (str(int(low)), "out", "of", high)
        return (str(int(low)), "/" if found["between"] == "/" else "to", str(int(high)))
    if found["opaque"]:
        return (_WHOLE.sub(r"\1", found["opaque"].casefold()),)
    if found["number"]:
        return (found["number"].lstrip("0") or "0",)
    if found["sign"]:
        return (PARTS,)
    return spelled(found["word"].casefold(), rules)


@lru_cache(maxsize=4096)
def _drawn_in(word: str) -> tuple[str, ...]:
    return (word, _DRAWN_OUT.sub(r"\1", word), _DRAWN_OUT.sub(r"\1\1", word))


def spelled(word: str, rules: Spelling) -> tuple[str, ...]:
    """A word as it is usually written; several for a contraction."""
    bare = word.strip("'-*_")
    for form in dict.fromkeys((word, *_drawn_in(bare))):
        written = rules.written.get(form)
        if written is not None:
            return written
        if form in rules.known:
            return (form,)
    elided = _ELIDED.fullmatch(bare)
    if elided:
        return (elided[1], *spelled(elided[2], rules))
    simple = bare.removesuffix("'s").replace("'", "")
    if simple in rules.known:
        return (simple,)
    if "-" in simple:
        return tuple(part for half in simple.split("-") if half for part in spelled(half, rules))
    return rules.corrected(_drawn_in(simple)[1]) or rules.parted(simple) or (simple,)
