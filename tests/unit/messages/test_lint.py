from datetime import date
from pathlib import Path

import pytest

from messages.catalog import Catalog
from messages.lint import Problem, lint, lint_library, strand_readings
from messages.safety import safety_rules
from messages.script import reading
from tests.unit.messages.conftest import EN, TOML, WriteMessage, blocks

NAMED = "{{ clinic_name }}: "
HELP = "Call {{ clinic_phone }}."


def message(strand: str = "lifestyle", topic: str = "walking", more: str = "") -> str:
    return TOML.replace("lifestyle", strand, 1).replace('"walking"', f'"{topic}"') + more


def problems_of(root: Path, *, today: date | None = None) -> list[Problem]:
    """Everything but the topics, minimums and languages, which a library of one message lacks."""
    found = lint(Catalog.load(root), today=today)
    return [problem for problem in found if problem.rule not in {"coverage", "languages"}]


def rules_of(root: Path, *, today: date | None = None) -> set[str]:
    return {problem.rule for problem in problems_of(root, today=today)}


def test_a_plain_and_safe_message_has_no_problem(write: WriteMessage, root: Path) -> None:
    write("walking")
    assert problems_of(root, today=date(2026, 11, 21)) == []


@pytest.mark.parametrize(
    ("text", "more", "rule"),
    [
        ("It\u2019s time.", "", "gsm-7"),
        ("Use a `tick`.", "", "gsm-7"),
        ("Short walks help. " * 10, "", "segments"),
        ("Short walks help. " * 20, 'two_segments = "why"', "segments"),
        ("Walk.", 'two_segments = "why"', "segments"),
    ],
)
def test_a_text_is_short_and_plain_ascii_like(
    write: WriteMessage, root: Path, text: str, more: str, rule: str
) -> None:
    write(toml=message(more=more), en=blocks(sms=NAMED + text))
    assert rules_of(root) == {rule}


def test_two_segments_pass_with_a_reason(write: WriteMessage, root: Path) -> None:
    long_text = blocks(sms=NAMED + "Short walks help. " * 10)
    write(toml=message(more='two_segments = "it lists all red flags"'), en=long_text)
    assert problems_of(root) == []


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        (blocks(sms="Walk today."), "names-the-clinic"),
        (blocks(sms=NAMED + "Hi.", subject="a " * 31), "subject-length"),
        (blocks(sms=NAMED + "Hi.", subject="{{ given_name }}, walk"), "subject-name"),
        (blocks(sms=NAMED + "Hi.", email="one " * 26 + "."), "long-sentence"),
        (blocks(sms=NAMED + "Hi.", email=("one " * 20 + ". ") * 3), "long-sentence"),
        (blocks(sms=NAMED + "Hi.", email="Cardiovascularity."), "long-word"),
        (blocks(sms=NAMED + "Hi.", email="Regular activity is beneficial."), "long-word"),
        (blocks(sms=NAMED + "Hi.", email="{{ oops }}"), "template"),
        (blocks(sms=NAMED + "Hi.", email="[a](http://a.example)"), "template"),
    ],
)
def test_each_rule_for_a_single_message_bites(
    write: WriteMessage, root: Path, template: str, rule: str
) -> None:
    write(en=template)
    assert rule in rules_of(root)


@pytest.mark.parametrize(
    ("toml", "rule"),
    [
        (message().replace("feet:lifestyle-strategies", "feet:nowhere"), "unknown-source"),
        (message().replace('"feet:lifestyle-strategies"', ""), "no-source"),
        (message("service").replace('"feet:lifestyle-strategies"', ""), "no-source"),
        (message().replace("2026", "2027"), "review-date"),
        (message().replace("2026", "2024"), "review-date"),
    ],
)
def test_where_a_message_comes_from_and_when_it_was_read_is_held_to(
    write: WriteMessage, root: Path, toml: str, rule: str
) -> None:
    write(toml=toml)
    assert rules_of(root, today=date(2026, 12, 1)) == {rule}


def test_a_service_message_may_follow_a_policy_instead(write: WriteMessage, root: Path) -> None:
    toml = message("service", "paused").replace('"feet:lifestyle-strategies"', "")
    write(toml=toml + 'policy = "47 CFR 64.1200(a)(10)"\n')
    assert problems_of(root) == []


@pytest.mark.parametrize("lacking", ["sms", "email"])
def test_a_follow_up_carries_the_way_to_get_help_in_both_forms(
    write: WriteMessage, root: Path, lacking: str
) -> None:
    written = {"sms": f"{NAMED} How are you? {HELP}", "email": f"How are you? {HELP}"}
    folder = write(toml=message("follow_up", "next-visit"), en=blocks("Hello there", **written))
    assert problems_of(root) == []
    written[lacking] = f"{NAMED} How are you now, and how was your week?"
    (folder / "en.jinja").write_text(blocks("Hello there", **written))
    assert [(found.where, found.rule) for found in problems_of(root)] == [
        ("evening-walk/en", "way-to-get-help")
    ]


WELCOME = NAMED + "{{ frequency }}. Msg & data rates may apply. Reply HELP for help, STOP to end."
HELPED = (
    NAMED + "Aftervisit, {{ frequency }}. Msg & data rates may apply. {{ clinic_phone }}. STOP "
    "ends it."
)


@pytest.mark.parametrize(
    ("topic", "text", "parts"),
    [
        ("welcome", WELCOME, ["{{ frequency }}", "Msg & data rates may apply", "HELP", "STOP"]),
        ("help", HELPED, ["{{ frequency }}", "rates may apply", "{{ clinic_phone }}", "STOP"]),
        ("goodbye", NAMED + "No more texts. START brings us back.", ["START", "No more"]),
    ],
)
def test_a_service_message_makes_every_disclosure(
    write: WriteMessage, root: Path, topic: str, text: str, parts: list[str]
) -> None:
    folder = write(toml=message("service", topic), en=blocks(sms=text))
    assert problems_of(root) == []
    for part in parts:
        (folder / "en.jinja").write_text(blocks(sms=text.replace(part, "x")))
        assert rules_of(root) <= {"disclosures", "way-back"}
        assert len(problems_of(root)) == 1


def test_two_messages_share_no_sentence(write: WriteMessage, root: Path) -> None:
    shared = "Walk a little, every day!"
    write("first", en=blocks(sms=NAMED + shared, email="One thing."))
    write("second", en=blocks(sms=NAMED + "Yo.", email=f"Then *walk* a little every day. {HELP}"))
    assert problems_of(root) == []
    write("third", en=blocks(sms=NAMED + "Yes.", email="**WALK a little,** every day."))
    assert [(found.where, found.rule) for found in problems_of(root)] == [
        ("third/en", "shared-sentence")
    ]


def test_a_message_may_repeat_itself_in_its_two_forms(write: WriteMessage, root: Path) -> None:
    write(en=blocks(sms=NAMED + "Hi. Walk a little every day.", email="Walk a little every day."))
    assert problems_of(root) == []


def test_a_language_that_one_message_has_all_have(write: WriteMessage, root: Path) -> None:
    write("both", en=EN, es=blocks(sms=NAMED + "Hola."))
    write("english", en=blocks(sms=NAMED + "Hi."))
    write("french", en=blocks(sms=NAMED + "Hey."), es=blocks(sms=NAMED + "Ya."), fr=blocks())
    problems = lint(Catalog.load(root))
    found = {(found.where, found.detail) for found in problems if found.rule == "languages"}
    assert {
        ("english", "is not written in 'es' yet"),
        ("both", "is not written in 'fr' yet"),
    } <= found
    assert any(where == "layout/words.toml" for where, _ in found)
    assert "plain-language" in rules_of(root)


def test_a_message_in_english_alone_is_told_of(write: WriteMessage, root: Path) -> None:
    write("walking")
    found = [problem for problem in lint(Catalog.load(root)) if problem.rule == "languages"]
    assert found == [Problem("walking", "languages", "is not written in 'es' yet")]


HARD = "Regular physical activity improves cardiovascular function considerably. "
HARD_ES = "La actividad regular favorece considerablemente el funcionamiento cardiovascular. "


@pytest.mark.parametrize(
    ("language", "hard", "measures"),
    [("en", HARD, ["grade"]), ("es", HARD_ES, ["grade", "ease"])],
)
def test_a_strand_that_reads_too_hard_is_told_as_a_whole(
    write: WriteMessage, root: Path, language: str, hard: str, measures: list[str]
) -> None:
    write(**{language: blocks(sms=NAMED + "Hi.", email=hard * 3)})
    found = [problem for problem in problems_of(root) if problem.rule == "grade"]
    assert [problem.where for problem in found] == ["lifestyle"] * len(measures)
    assert [problem.detail.split()[0] for problem in found] == measures
    whole = strand_readings(Catalog.load(root), language)["lifestyle"]
    assert whole.grade > 8
    assert whole.ease < 40


@pytest.mark.parametrize(
    ("email", "rule"),
    [
        ("una " * 29 + ".", "long-sentence"),
        (("una " * 20 + ". ") * 3, "long-sentence"),
        ("Electroencefalograma.", "long-word"),
        ("La actividad beneficiosa es regularmente moderada.", "long-word"),
    ],
)
def test_spanish_is_held_to_plain_words_of_its_own(
    write: WriteMessage, root: Path, email: str, rule: str
) -> None:
    write(es=blocks(sms=NAMED + "Hola.", email=email))
    assert rule in rules_of(root)


def test_an_accent_that_would_halve_the_room_of_a_text_is_told(
    write: WriteMessage, root: Path
) -> None:
    write(es=blocks(sms=NAMED + "¿Qué tal va? Camine más.", email="Camine más."))
    found = [problem.detail for problem in problems_of(root) if problem.rule == "gsm-7"]
    assert len(found) == 1
    assert found[0].startswith("á would")


def test_missing_topics_and_thin_strands_are_named(write: WriteMessage, root: Path) -> None:
    write("walking")
    found = {(found.where, found.detail) for found in lint(Catalog.load(root))}
    assert ("lifestyle", "has 1 messages; 16 is the least") in found
    assert ("lifestyle", "has no message on swimming") in found
    assert ("lifestyle", "has no message on walking") not in found
    assert ("service", "has no message on goodbye") in found


def test_a_library_that_cannot_be_loaded_is_a_list_of_problems(
    write: WriteMessage, root: Path
) -> None:
    write("walking", toml=None)
    assert [(found.where, found.rule) for found in lint_library(root)] == [
        ("walking/message.toml", "format")
    ]


def test_one_message_can_be_measured(write: WriteMessage, root: Path) -> None:
    write("walking")
    found = reading(Catalog.load(root), "walking", "en")
    assert found.words == 13
    assert found.grade < 8


def test_every_rule_in_the_file_says_what_to_do() -> None:
    rules = safety_rules()
    named = [(rule.rule, rule.detail) for rule in rules.must_say]
    named += [(rule.rule, rule.detail) for rule in rules.must_not_say]
    for rule, detail in named:
        assert rule == rule.lower()
        assert len(detail.split()) > 3
    assert set(rules.plain) >= set(rules.languages)
