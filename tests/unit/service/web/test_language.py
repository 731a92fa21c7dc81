from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web import pages
from service.web.language import LANGUAGES, preferred, spoken, words

TEMPLATES = sorted((Path(pages.__file__).parent / "templates").glob("*.jinja"))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("ES-mx", "es"),
        ("es-419,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("en;q=0.2, es;q=0.7", "es"),
        ("fr-FR, fr;q=0.9, es;q=0.5, en;q=0.3", "es"),
        ("es;q=0, en", "en"),
        ("es;q=0", "en"),
        ("*", "en"),
        ("de", "en"),
        ("español", "en"),
        ("es;q=banana, en;q=0.1", "en"),
        ("es ; q=0.5 , en ; q=0.4", "es"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_asks_for_most(
    header: str, language: str
) -> None:
    assert preferred(header) == language


@given(st.text())
def test_whatever_a_browser_sends_there_is_a_language(header: str) -> None:
    assert preferred(header) in LANGUAGES


@pytest.mark.parametrize(
    ("patients", "browser", "language"),
    [
        ({"es"}, "en", "es"),
        ({"en"}, "es", "en"),
        (set(), "es", "es"),
        ({"en", "es"}, "es", "es"),
        ({"en", "es"}, "en", "en"),
        ({"fr"}, "es", "es"),
    ],
)
def test_the_patients_own_language_goes_before_the_browsers(
    patients: set[str], browser: str, language: str
) -> None:
    assert spoken(patients, browser) == language


def test_every_language_has_the_same_words_with_the_same_places_for_values() -> None:
    def shape(language: str) -> dict[tuple[str, str], list[str]]:
        return {
            (group, key): sorted(
                field for _, field, _, _ in string.Formatter().parse(text) if field
            )
            for group, texts in words(language).items()
            for key, text in texts.items()
        }

    for language in LANGUAGES:
        assert shape(language) == shape(LANGUAGES[0])
        assert all(text.strip() for texts in words(language).values() for text in texts.values())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_words_of_its_own(template: Path) -> None:
    marks = r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<style.*?</style>|<[^>]*>|&\w+;"
    left = re.sub(marks, " ", template.read_text("utf-8"), flags=re.DOTALL)
    assert not re.findall(r"[^\W\d_]{2,}", left)
