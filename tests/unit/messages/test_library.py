"""The library as it ships: each test here goes over every message."""

import re
from datetime import date

import pytest

from messages.catalog import Catalog
from messages.lint import lint_library, strand_grades
from messages.render import Renderer
from messages.sample import sample_context
from messages.script import reading
from messages.sms import GSM_BASIC, GSM_EXTENSION

CATALOG = Catalog.load()
RENDERER = Renderer(CATALOG)
SCRIPTS = [(message.name, language) for message in CATALOG for language in message.languages]


def test_lint_finds_nothing() -> None:
    assert lint_library() == []


def test_every_message_was_read_by_someone_in_the_two_years_before_this_release() -> None:
    assert all(date(2026, 1, 1) <= message.reviewed for message in CATALOG)


@pytest.mark.parametrize(
    ("strand", "least"), [("lifestyle", 16), ("sleep", 12), ("follow_up", 8), ("service", 5)]
)
def test_each_strand_has_enough_to_say(strand: str, least: int) -> None:
    assert sum(message.strand == strand for message in CATALOG) >= least


@pytest.mark.parametrize(("name", "language"), SCRIPTS)
def test_a_message_renders_for_a_phone_and_a_mailbox(name: str, language: str) -> None:
    context = sample_context(language)
    text = RENDERER.sms(name, language, context)
    assert text.encoding == "GSM-7"
    assert set(text.text) <= GSM_BASIC | GSM_EXTENSION
    assert text.segments == (2 if CATALOG[name].two_segments else 1)
    assert context["clinic_name"] in text.text
    email = RENDERER.email(name, language, context)
    assert len(email.subject) <= 60
    assert not re.search("zqv|{{|{%", email.subject + email.text + email.html + text.text)
    assert f'lang="{language}"' in email.html


@pytest.mark.parametrize(("name", "language"), SCRIPTS)
def test_no_text_or_subject_names_the_condition(name: str, language: str) -> None:
    context = {**sample_context(language), "clinic_name": "Lakeside"}
    shown = RENDERER.sms(name, language, context).text
    shown += RENDERER.email(name, language, context).subject
    assert not re.search(r"restless|\brls\b|willis|ferritin|inquietas", shown, re.IGNORECASE)


def test_the_library_reads_at_the_grade_aimed_at() -> None:
    assert max(strand_grades(CATALOG, "en").values()) <= 6
    assert max(reading(CATALOG, message.name, "en").grade for message in CATALOG) <= 8


def test_a_single_segment_is_the_rule_and_two_the_exception() -> None:
    assert sum(bool(message.two_segments) for message in CATALOG) <= len(CATALOG) / 8
