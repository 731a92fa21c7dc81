"""The library as it ships: each test here goes over every message."""

import re
from datetime import date

import pytest

from messages.catalog import Catalog, Message
from messages.lint import lint_library, strand_readings
from messages.render import Renderer
from messages.safety import safety_rules
from messages.sample import sample_context
from messages.script import open_script, reading
from messages.sms import GSM_BASIC, GSM_EXTENSION

CATALOG = Catalog.load()
RENDERER = Renderer(CATALOG)
LANGUAGES = safety_rules().languages
NUMBERS = {"clinic_phone", "emergency_number", "crisis_line"}
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
    assert not re.search(r"restless|\brls\b|willis|ferritin|inquiet", shown, re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_library_reads_at_the_grade_aimed_at(language: str) -> None:
    strands = strand_readings(CATALOG, language).values()
    assert max(strand.grade for strand in strands) <= 6
    assert min(strand.ease for strand in strands) >= 65
    assert max(reading(CATALOG, message.name, language).grade for message in CATALOG) <= 8


def test_every_message_is_in_both_languages() -> None:
    assert LANGUAGES == ("en", "es")
    assert {message.languages for message in CATALOG} == {LANGUAGES}


@pytest.mark.parametrize("message", CATALOG, ids=lambda message: message.name)
def test_both_languages_of_a_message_give_the_same_numbers_to_call(message: Message) -> None:
    english, spanish = (open_script(RENDERER, message, language) for language in LANGUAGES)
    for block in ("sms", "email"):
        assert NUMBERS & english.variables(block) == NUMBERS & spanish.variables(block)


@pytest.mark.parametrize("message", CATALOG, ids=lambda message: message.name)
def test_both_languages_of_a_message_have_the_same_shape(message: Message) -> None:
    english, spanish = (open_script(RENDERER, message, language) for language in LANGUAGES)
    shapes = [
        [bool(re.match(r"- |\d\. ", line)) for line in script.shown["email"].splitlines()]
        for script in (english, spanish)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", ["welcome", "help", "rejoined"])
def test_what_carriers_ask_for_is_said_in_spanish_too(name: str) -> None:
    context = sample_context("es")
    text = RENDERER.sms(name, "es", context).text
    assert context["clinic_name"] in text
    assert "Aftervisit" in text
    assert context["frequency"] in text
    assert "Pueden aplicarse cargos por mensajes y datos." in text
    assert "STOP o ALTO" in text
    assert "AYUDA" in text or context["clinic_phone"] in text


def test_a_single_segment_is_the_rule_and_two_the_exception() -> None:
    assert sum(bool(message.two_segments) for message in CATALOG) <= len(CATALOG) / 8
