"""Segments, held against a second computation that shares no code and no table with ours."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messages.sms import GSM_BASIC, GSM_EXTENSION, outside_gsm7, segment

# 3GPP TS 23.038 by character names, beside the letters and digits that ASCII shares with it.
NAMED = """
COMMERCIAL AT; POUND SIGN; DOLLAR SIGN; YEN SIGN; LATIN SMALL LETTER E WITH GRAVE;
LATIN SMALL LETTER E WITH ACUTE; LATIN SMALL LETTER U WITH GRAVE; LATIN SMALL LETTER I WITH GRAVE;
LATIN SMALL LETTER O WITH GRAVE; LATIN CAPITAL LETTER C WITH CEDILLA;
LATIN CAPITAL LETTER O WITH STROKE; LATIN SMALL LETTER O WITH STROKE;
LATIN CAPITAL LETTER A WITH RING ABOVE; LATIN SMALL LETTER A WITH RING ABOVE;
GREEK CAPITAL LETTER DELTA; LOW LINE; GREEK CAPITAL LETTER PHI; GREEK CAPITAL LETTER GAMMA;
GREEK CAPITAL LETTER LAMDA; GREEK CAPITAL LETTER OMEGA; GREEK CAPITAL LETTER PI;
GREEK CAPITAL LETTER PSI; GREEK CAPITAL LETTER SIGMA; GREEK CAPITAL LETTER THETA;
GREEK CAPITAL LETTER XI; LATIN CAPITAL LETTER AE; LATIN SMALL LETTER AE;
LATIN SMALL LETTER SHARP S; LATIN CAPITAL LETTER E WITH ACUTE; SPACE; EXCLAMATION MARK;
QUOTATION MARK; NUMBER SIGN; CURRENCY SIGN; PERCENT SIGN; AMPERSAND; APOSTROPHE;
LEFT PARENTHESIS; RIGHT PARENTHESIS; ASTERISK; PLUS SIGN; COMMA; HYPHEN-MINUS; FULL STOP; SOLIDUS;
COLON; SEMICOLON; LESS-THAN SIGN; EQUALS SIGN; GREATER-THAN SIGN; QUESTION MARK;
INVERTED EXCLAMATION MARK; LATIN CAPITAL LETTER A WITH DIAERESIS;
LATIN CAPITAL LETTER O WITH DIAERESIS; LATIN CAPITAL LETTER N WITH TILDE;
LATIN CAPITAL LETTER U WITH DIAERESIS; SECTION SIGN; INVERTED QUESTION MARK;
LATIN SMALL LETTER A WITH DIAERESIS; LATIN SMALL LETTER O WITH DIAERESIS;
LATIN SMALL LETTER N WITH TILDE; LATIN SMALL LETTER U WITH DIAERESIS;
LATIN SMALL LETTER A WITH GRAVE
"""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\n\r"
BASIC = set(LETTERS) | {unicodedata.lookup(" ".join(name.split())) for name in NAMED.split(";")}
EXTENSION = {chr(code) for code in (0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC)}

GSM_TEXT = st.text(st.sampled_from(sorted(BASIC | EXTENSION)), max_size=700)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def second_opinion(text: str) -> tuple[str, int, int]:
    """Lay the text out on the wire, then cut it as a phone would receive it."""
    if set(text) <= BASIC | EXTENSION:
        septets = "".join(f"\x1b{char}" if char in EXTENSION else char for char in text)
        return "GSM-7", len(septets), len(cut(septets, 160, 153, "\x1b"))
    wire = text.encode("utf-16-be")
    units = "".join("H" if 0xD8 <= wire[at] <= 0xDB else "." for at in range(0, len(wire), 2))
    return "UCS-2", len(units), len(cut(units, 70, 67, "H"))


def cut(units: str, single: int, joined: int, never_last: str) -> list[str]:
    if len(units) <= single:
        return [units] if units else []
    parts = []
    while units:
        size = joined - 1 if units[joined - 1 : joined] == never_last else joined
        parts.append(units[:size])
        units = units[size:]
    return parts


def test_the_tables_are_those_of_the_standard() -> None:
    assert GSM_BASIC == BASIC
    assert GSM_EXTENSION == EXTENSION
    assert len(BASIC) == 127  # 128 places, one of which is the escape


@given(GSM_TEXT)
@example("€" * 80)
@example("a" + "€" * 80)
def test_any_gsm_text_is_counted_as_laid_out_on_the_wire(text: str) -> None:
    found = segment(text)
    assert (found.encoding, found.units, found.count) == second_opinion(text)


@given(ANY_TEXT)
@example("a" + "\N{LEG}" * 40)
def test_any_text_at_all_is_counted_as_laid_out_on_the_wire(text: str) -> None:
    found = segment(text)
    assert (found.encoding, found.units, found.count) == second_opinion(text)


@given(ANY_TEXT, ANY_TEXT)
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    assert segment(text + more).count >= segment(text).count


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a", "GSM-7", 1, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        # 306 septets, but the euro sign would lie across the cut at 153, so a third part begins.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("é" * 160, "GSM-7", 160, 1),
        ("á", "UCS-2", 1, 1),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 134, "UCS-2", 134, 2),
        ("ж" * 135, "UCS-2", 135, 3),
        ("\N{LEG}" * 35, "UCS-2", 70, 1),
        ("\N{LEG}" * 36, "UCS-2", 72, 2),
        # 134 units, but a pair would lie across the cut at 67.
        ("ж" * 66 + "\N{LEG}" + "ж" * 66, "UCS-2", 134, 3),
        ("\n" * 160, "GSM-7", 160, 1),
    ],
)
def test_the_boundaries_lie_where_the_standard_puts_them(
    text: str, encoding: str, units: int, count: int
) -> None:
    found = segment(text)
    assert (found.encoding, found.units, found.count) == (encoding, units, count)


@pytest.mark.parametrize(
    "character", ["\u2019", "`", "\xa0", "\u2013", "\u2026", "\t", "ç", "\x1b", "\N{LEG}"]
)
def test_one_character_outside_the_alphabet_makes_the_whole_text_ucs2(character: str) -> None:
    assert segment("a" * 100 + character).encoding == "UCS-2"
    assert segment("a" * 100 + character).count == 2


def test_the_characters_outside_the_alphabet_are_named_once_each_in_order() -> None:
    assert outside_gsm7("it\u2019s \u201cone\u201d, it\u2019s") == ("\u2019", "\u201c", "\u201d")


def test_counts_grow_by_at_most_one_a_character() -> None:
    counts = [segment("[" * length).count for length in range(400)]
    assert all(later - earlier in {0, 1} for earlier, later in pairwise(counts))
