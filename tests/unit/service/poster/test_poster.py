"""The poster: all is on the page, nothing on top of anything, and its code is the address."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from service.clinics import SAMPLE_CLINIC, Clinic
from service.enrolment.joining_form import shown_wording
from service.enrolment.wordings import LANGUAGES
from service.poster.layout import PAPERS, Content, laid_out, paper_of
from service.poster.posters import poster
from service.poster.shapes import BOLD, PLAIN, Code, Page, Text, balanced, measured, wrapped

BASE = "https://tips.clinic.example"
SVG = "{http://www.w3.org/2000/svg}"


def page_of(clinic: Clinic, language: str, paper: str, url: str = f"{BASE}/join/riverside") -> Page:
    number = "(503) 555-0142"
    wording = shown_wording(clinic, language)
    return laid_out(Content(clinic.name, clinic.phone, url, "LEGS", number, wording), paper)


def texts(page: Page) -> list[Text]:
    return [shape for shape in page.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", PAPERS)
def test_every_line_is_on_the_page_and_none_on_another(language: str, paper: str) -> None:
    page = page_of(SAMPLE_CLINIC, language, paper)
    for text in texts(page):
        assert text.x >= 36
        assert text.x + text.width <= page.width - 36
        assert text.size <= text.y <= page.height - 24
    for column in {text.x for text in texts(page)}:
        lines = sorted((t for t in texts(page) if t.x == column), key=lambda t: t.y)
        for above, below in pairwise(lines):
            assert below.y - above.y >= below.size


@given(
    name=st.text(
        st.characters(categories=["Lu", "Ll"], max_codepoint=255), min_size=2, max_size=30
    ),
    path=st.text("abcdefghij-", min_size=1, max_size=60),
)
def test_the_longest_names_and_addresses_still_fit(name: str, path: str) -> None:
    clinic = SAMPLE_CLINIC.model_copy(update={"name": name})
    page = page_of(clinic, "es", "letter", f"{BASE}/{path}/join/riverside")
    assert all(
        text.x + text.width <= page.width - 30 for text in texts(page) if "/" not in text.words
    )
    assert max(text.y for text in texts(page)) <= page.height - 24


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_who_how_and_all_that_is_to_be_disclosed(language: str) -> None:
    said = " ".join(text.words for text in texts(page_of(SAMPLE_CLINIC, language, "a4")))
    said = said.replace("\u00a0", " ")
    assert SAMPLE_CLINIC.name in said
    assert "LEGS" in said
    assert "(503) 555-0142" in said
    assert "tips.clinic.example/join/riverside" in said.replace("/ ", "/")
    wording = shown_wording(SAMPLE_CLINIC, language)
    for told in wording.disclosures:
        assert told in said
    assert wording.name in said
    assert not re.search(r"restless|inquietas", said, re.IGNORECASE)


def test_the_code_holds_the_address_with_room_around_it() -> None:
    page = page_of(SAMPLE_CLINIC, "en", "a4")
    (code,) = (shape for shape in page.shapes if isinstance(shape, Code))
    meant = segno.make(f"{BASE}/join/riverside", error="q", micro=False)
    assert code.rows == tuple(tuple(bool(m) for m in row) for row in meant.matrix)
    module = code.size / len(code.rows)
    assert module >= 72 / 25.4  # a millimetre, read from an arm's length away
    first = min(t.x for t in texts(page) if t.x > code.x + code.size)
    assert first - (code.x + code.size) >= 4 * module


def test_the_svg_is_well_formed_names_itself_and_asks_for_nothing_from_elsewhere() -> None:
    clinic = SAMPLE_CLINIC.model_copy(update={"name": 'Leg & "Vein" <Clinic>'})
    made = poster(clinic, "svg", language="en", base=BASE, number=None)
    root = ET.fromstring(made)  # noqa: S314 - our own
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == 'Join the health tips of Leg & "Vein" <Clinic>'
    assert b"href" not in made
    assert b"@import" not in made
    assert b"LEGS" not in made


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_one_page_says_its_language_and_is_the_same_every_time(language: str) -> None:
    made, again = (
        poster(SAMPLE_CLINIC, "pdf", language=language, base=BASE, number=None) for _ in range(2)
    )
    assert made == again
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page ") <= 1
    assert f"({language})".encode() in made
    assert b"FontFile" not in made


def test_the_paper_is_that_of_the_country() -> None:
    assert paper_of("US") == "letter"
    assert paper_of("DE") == "a4"


@given(st.text("ab /\u00a0", max_size=60), st.floats(20, 300), st.sampled_from([PLAIN, BOLD]))
def test_wrapped_lines_lose_no_letter_and_are_as_narrow_as_can_be(
    words: str, width: float, font: str
) -> None:
    lines = wrapped(words, 10, font, width)
    assert "".join("".join(lines).split(" ")) == "".join(words.split(" "))
    for line in lines:
        assert measured(line, 10, font) <= width or " " not in line.strip(" ")
    assert len(wrapped(words, 10, font, balanced(words, 10, font, width))) == len(lines)
