import html
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import Catalog, Message
from messages.errors import TemplateFault, UnknownLanguage, UnknownMessage
from messages.render import Renderer, one_line
from messages.sample import sample_context
from messages.template import EMAIL_VARIABLES
from tests.unit.messages.conftest import EN, WriteMessage, blocks

CONTEXT = sample_context("en")
HOSTILE = [
    "*x* <b>",
    "[a](http://b)",
    "<script>alert(1)</script>",
    "\" onmouseover='x",
    "{{ clinic_name }}",
    "{% raw %}",
    "__init__",
    "# Title",
    "- item",
    "&amp;",
    "zqvclinicphonezqv",
    "%s {0} \\1",
]


def renderer_of(**languages: str) -> Renderer:
    """A library of one message, "walking", that never touches a disk."""
    message = Message("walking", "lifestyle", "walking", (), DAY, tuple(sorted(languages)))
    templates = {("walking", language): text for language, text in languages.items()}
    return Renderer(Catalog({"walking": message}, templates))


DAY = date(2026, 11, 21)


class Page(HTMLParser):
    """What a mail program would make of a page: its text, and the links and tags in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_text_is_one_line_whatever_the_template_looks_like() -> None:
    found = renderer_of(en=blocks(sms="\n  {{ clinic_name }}:\n  Walk\n  today.  \n")).sms(
        "walking", "en", CONTEXT
    )
    assert found.text == "Riverside Clinic: Walk today."
    assert (found.encoding, found.segments) == ("GSM-7", 1)


def test_an_author_can_ask_for_a_line_break_in_a_text() -> None:
    renderer = renderer_of(en=blocks(sms='One. {{ "\\n" }} Two.'))
    assert renderer.sms("walking", "en", CONTEXT).text == "One.\nTwo."


def test_a_subject_stays_one_line_whatever_its_author_asks_for() -> None:
    renderer = renderer_of(en=blocks(subject='One{{ "\\n" }}\ntwo'))
    assert renderer.email("walking", "en", CONTEXT).subject == "One two"


def test_a_clinic_with_an_accent_in_its_name_is_seen_to_cost_more() -> None:
    renderer = renderer_of(en=blocks(sms="{{ clinic_name }}: " + "a" * 60))
    found = renderer.sms("walking", "en", {**CONTEXT, "clinic_name": "Clínica"})
    assert (found.encoding, found.segments) == ("UCS-2", 1)


def test_an_email_has_subject_text_and_page() -> None:
    found = renderer_of(en=EN).email("walking", "en", CONTEXT)
    assert found.subject == "A short walk after dinner"
    assert found.language == "en"
    assert found.text.startswith("Hello Ana,\n\nWalk for ten minutes after dinner.\n")
    assert "<strong>ten minutes</strong>" in found.html


def test_both_parts_of_an_email_carry_the_legal_footer() -> None:
    found = renderer_of(en=EN).email("walking", "en", CONTEXT)
    page = Page(found.html)
    for part in (found.text, page.text):
        for name in ("clinic_name", "clinic_address", "clinic_phone", "emergency_number"):
            assert CONTEXT[name] in part
    assert CONTEXT["unsubscribe_url"] in found.text
    assert CONTEXT["page_url"] in found.text
    links = [attributes["href"] for attributes in page.all("a")]
    assert links == ["tel:5035550142", CONTEXT["page_url"], CONTEXT["unsubscribe_url"]]


def test_the_page_is_made_for_phones_dark_rooms_and_screen_readers() -> None:
    page = Page(renderer_of(en=EN, es=EN).email("walking", "es", CONTEXT).html)
    assert page.all("html")[0]["lang"] == "es"
    assert all(attributes["role"] == "presentation" for attributes in page.all("table"))
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert "prefers-color-scheme: dark" in page.text
    assert page.all("title")
    assert page.text.count("Hola, Ana:") == 1


def test_the_style_is_inlined_and_nothing_is_fetched_from_anywhere() -> None:
    found = renderer_of(en=EN).email("walking", "en", CONTEXT).html
    page = Page(found)
    assert all(attributes.get("style") for attributes in page.all("p"))
    assert not page.all("img")
    assert not page.all("link")
    assert not page.all("script")
    assert "url(" not in found
    assert "@import" not in found


def test_the_preview_line_says_nothing_of_the_body() -> None:
    page = Page(renderer_of(en=EN).email("walking", "en", CONTEXT).html)
    shown = page.text.partition("A short note from your clinic.")[2]
    assert len(shown.partition("Riverside")[0]) > 120


def test_a_patient_without_a_name_is_greeted_without_one() -> None:
    found = renderer_of(en=EN).email("walking", "en", {**CONTEXT, "given_name": " "})
    assert found.text.startswith("Hello,\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_can_be_neither_html_nor_markdown_nor_template(name: str) -> None:
    renderer = renderer_of(en=blocks(email="Dear {{ given_name }}, and **{{ given_name }}**"))
    found = renderer.email("walking", "en", {**CONTEXT, "given_name": name})
    plain = renderer.email("walking", "en", CONTEXT)
    assert f"Dear {name}, and {name}" in found.text
    assert f"Dear {name}, and {name}" in Page(found.html).text
    assert Page(found.html).tags == Page(plain.html).tags


@given(st.dictionaries(st.sampled_from(sorted(CONTEXT)), st.text(min_size=1, max_size=30)))
def test_no_value_whatever_changes_the_tags_of_the_page(values: dict[str, str]) -> None:
    values.pop("unsubscribe_url", None)
    values.pop("page_url", None)
    shown = {name: one_line(value) for name, value in values.items() if one_line(value)}
    everywhere = "\n\n".join(f"*{{{{ {name} }}}}*" for name in EMAIL_VARIABLES)
    renderer = renderer_of(en=blocks(email=everywhere))
    found = renderer.email("walking", "en", {**CONTEXT, **shown})
    plain = renderer.email("walking", "en", CONTEXT)
    without_dialling = [
        [(tag, {**attributes, "href": ""}) for tag, attributes in Page(each.html).tags]
        for each in (found, plain)
    ]
    assert without_dialling[0] == without_dialling[1]
    for value in shown.values():
        assert value in found.text
        assert html.escape(value) in found.html


@given(st.text(max_size=60))
def test_no_value_brings_a_line_of_its_own(value: str) -> None:
    line = one_line(value)
    assert len(line.splitlines()) <= 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", line)
    assert one_line(line) == line


def test_a_number_to_dial_holds_only_what_can_be_dialled() -> None:
    renderer = renderer_of(en=blocks(email="[Call](tel:{{ clinic_phone }}) or {{ clinic_phone }}"))
    found = renderer.email("walking", "en", {**CONTEXT, "clinic_phone": '+1 (503) "555" 0142'})
    assert Page(found.html).all("a")[0]["href"] == "tel:+15035550142"
    assert "Call (+1 (503)" in found.text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "x", 'https://a" onclick="b', "https://a b"]
)
def test_an_unsubscribe_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(TemplateFault, match="unsubscribe_url is no web address"):
        renderer_of(en=EN).email("walking", "en", {**CONTEXT, "unsubscribe_url": url})


@pytest.mark.parametrize("name", [name for name in CONTEXT if name != "given_name"])
def test_a_blank_or_missing_value_is_a_fault_where_it_is_used(name: str) -> None:
    renderer = renderer_of(en=blocks(email=f"It is {{{{ {name} }}}}."))
    with pytest.raises(TemplateFault, match=f"{name} is blank"):
        renderer.email("walking", "en", {**CONTEXT, name: " \n"})
    without = {key: value for key, value in CONTEXT.items() if key != name}
    with pytest.raises(TemplateFault, match=f"{name} has no value"):
        renderer.email("walking", "en", without)


def test_an_email_needs_to_know_whether_there_is_a_name() -> None:
    without = {key: value for key, value in CONTEXT.items() if key != "given_name"}
    with pytest.raises(TemplateFault, match="given_name has no value"):
        renderer_of(en=EN).email("walking", "en", without)


def test_a_text_needs_only_the_values_it_uses() -> None:
    found = renderer_of(en=EN).sms("walking", "en", {"clinic_name": "Lakeside"})
    assert found.text.startswith("Lakeside: ")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("", "block subject is missing"),
        ("{% block subject %}a{% endblock %}", "block sms is missing"),
        (blocks() + "{% block extra %}{% endblock %}", "block extra is unknown"),
        (blocks() + "words", "outside the three blocks"),
        ("{{ clinic_name }}" + blocks(), "outside the three blocks"),
        ("{% set a = 1 %}" + blocks(), "outside the three blocks"),
        (blocks(subject="  "), "block subject is blank"),
        (blocks(sms="\n"), "block sms is blank"),
        (blocks(email=""), "block email is blank"),
        (blocks(sms="{{ clinic_nam }}"), "clinic_nam is no variable of sms"),
        (blocks(sms="{{ given_name }}"), "given_name is no variable of sms"),
        (blocks(sms="{{ clinic_address }}"), "clinic_address is no variable of sms"),
        (blocks(sms="{{ unsubscribe_url }}"), "unsubscribe_url is no variable of sms"),
        (blocks(email="{{ diagnosis }}"), "diagnosis is no variable of email"),
        (blocks(email="{% if given_name %}x{% endif %}"), "only text and variables"),
        (blocks(email="{{ given_name|upper }}"), "only text and variables"),
        (blocks(email="{{ given_name.__class__ }}"), "only text and variables"),
        (blocks(email="{{ 'a' }}"), "only text and variables"),
        (blocks(email="{% block sms %}x{% endblock %}"), "only text and variables"),
        (blocks(email="{% include 'x' %}"), "only text and variables"),
        (blocks(email="zqvclinicnamezqv"), "have a meaning here"),
        (blocks(sms="{{ clinic_name"), "line 2: "),
        ("{% block subject %}a", "line 1: "),
        (blocks(email="[a](http://a.example)"), "link to http://a.example is not allowed"),
        (
            blocks().replace("subject", "x").replace("sms", "subject").replace("x", "sms", 1),
            "in the order subject, sms, email",
        ),
    ],
)
def test_a_wrong_template_is_a_fault_that_says_what_to_do(template: str, fault: str) -> None:
    renderer = renderer_of(en=template)
    with pytest.raises(TemplateFault, match=re.escape(fault)) as caught:
        renderer.email("walking", "en", CONTEXT)
    assert (caught.value.message, caught.value.language) == ("walking", "en")
    assert str(caught.value).startswith("walking/en.jinja: ")


def test_a_language_the_frame_has_no_words_for_is_a_fault() -> None:
    with pytest.raises(TemplateFault, match=r"add \[fr\] to"):
        renderer_of(fr=EN).email("walking", "fr", CONTEXT)


def test_what_the_library_has_not_is_unknown() -> None:
    renderer = renderer_of(en=EN)
    with pytest.raises(UnknownMessage):
        renderer.sms("judo", "en", CONTEXT)
    with pytest.raises(UnknownLanguage):
        renderer.email("walking", "fr", CONTEXT)


def test_a_template_is_compiled_once(write: WriteMessage, root: Path) -> None:
    write("walking")
    renderer = Renderer(Catalog.load(root))
    first = renderer.email("walking", "en", CONTEXT)
    assert renderer.blocks("walking", "en") is renderer.blocks("walking", "en")
    assert renderer.email("walking", "en", CONTEXT) == first


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_sample_clinic_has_a_value_for_every_variable(language: str) -> None:
    assert sample_context(language).keys() == set(EMAIL_VARIABLES)
