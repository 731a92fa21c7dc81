"""Holds the library to its rules, so that nothing unsafe is published."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from messages.catalog import Catalog, guide_sections
from messages.checks import (
    check_must_not_say,
    check_must_say,
    check_plain,
    check_provenance,
    check_sms,
    check_subject,
)
from messages.errors import CatalogFault, TemplateFault
from messages.page import words as frame_words
from messages.plain import Reading, read, sentences, words
from messages.render import Renderer
from messages.safety import SafetyRules, safety_rules
from messages.sample import sample_context
from messages.script import Script, open_script
from messages.template import Malformed


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    Attributes:
        where: a message ("walking"), a template ("walking/en"), a file, or a whole strand.
        rule: the short name of the rule, stable.
        detail: what was found and what to do.
    """

    where: str
    rule: str
    detail: str


def lint_library(root: Path | None = None, *, today: date | None = None) -> list[Problem]:
    """Load a library and hold it to the rules; what cannot be loaded is a problem as well."""
    try:
        catalog = Catalog.load(root)
    except CatalogFault as fault:
        return [Problem(where, "format", detail) for where, detail in fault.faults]
    return lint(catalog, today=today)


def lint(catalog: Catalog, *, today: date | None = None) -> list[Problem]:
    """Return every problem of a library, in the order of its messages; none is the aim.

    Args:
        catalog: the library.
        today: the day to hold review dates against; they are not held where it is left out.
    """
    rules, sections = safety_rules(), guide_sections()
    renderer = Renderer(catalog)
    problems: list[Problem] = []
    scripts: list[Script] = []
    for message in catalog:
        found = check_provenance(message, sections, rules, today)
        problems += [Problem(message.name, rule, detail) for rule, detail in found]
        for language in message.languages:
            try:
                scripts.append(open_script(renderer, message, language))
            except TemplateFault as fault:
                problems.append(Problem(f"{message.name}/{language}", "template", fault.detail))
    for script in scripts:
        problems += _script_problems(script, rules)
    problems += _language_problems(catalog, rules)
    problems += _coverage_problems(catalog, rules)
    problems += _shared_problems(scripts, rules)
    problems += _grade_problems(scripts, rules)
    return problems


def strand_readings(catalog: Catalog, language: str) -> dict[str, Reading]:
    """Measure each strand over all its texts and e-mails in a language."""
    renderer = Renderer(catalog)
    written = (message for message in catalog if language in message.languages)
    return _readings([open_script(renderer, message, language) for message in written], language)


def _readings(scripts: Iterable[Script], language: str) -> dict[str, Reading]:
    texts: dict[str, list[str]] = defaultdict(list)
    for script in scripts:
        texts[script.message.strand] += [script.shown["sms"], script.shown["email"]]
    return {strand: read("\n".join(found), language) for strand, found in texts.items()}


def _script_problems(script: Script, rules: SafetyRules) -> Iterator[Problem]:
    checks = (check_sms, check_subject, check_must_say, check_must_not_say, check_plain)
    for check in checks:
        for rule, detail in check(script, rules):
            yield Problem(script.where, rule, detail)


def _language_problems(catalog: Catalog, rules: SafetyRules) -> Iterator[Problem]:
    languages = {language for message in catalog for language in message.languages}
    for language in sorted(languages):
        try:
            frame_words(language)
        except Malformed as fault:
            yield Problem("layout/words.toml", "languages", str(fault))
    for message in catalog:
        for missing in sorted((languages | set(rules.languages)) - set(message.languages)):
            yield Problem(message.name, "languages", f"is not written in {missing!r} yet")


def _coverage_problems(catalog: Catalog, rules: SafetyRules) -> Iterator[Problem]:
    topics: dict[str, list[str]] = defaultdict(list)
    for message in catalog:
        topics[message.strand].append(message.topic)
    for strand, required in rules.required.items():
        found = topics[strand]
        if len(found) < required.minimum:
            detail = f"has {len(found)} messages; {required.minimum} is the least"
            yield Problem(strand, "coverage", detail)
        for topic in required.topics:
            if topic not in found:
                yield Problem(strand, "coverage", f"has no message on {topic}")


def _shared_problems(scripts: Iterable[Script], rules: SafetyRules) -> Iterator[Problem]:
    allowed = {_normal(sentence) for sentence in rules.shared_allowed}
    first: dict[tuple[str, str], Script] = {}
    for script in scripts:
        for block in ("subject", "sms", "email"):
            for sentence in sentences(_unsigned(script.shown[block], script.language)):
                normal = _normal(sentence)
                if normal in allowed or len(words(sentence)) < rules.shared_words:
                    continue
                earlier = first.setdefault((script.language, normal), script)
                if earlier.message.name != script.message.name:
                    detail = f'{block} shares "{sentence}" with {earlier.where}: word it afresh'
                    yield Problem(script.where, "shared-sentence", detail)


def _unsigned(text: str, language: str) -> str:
    """Drop the clinic's name that opens each text, which would hide that the rest is the same."""
    return text.removeprefix(f"{sample_context(language)['clinic_name']}:")


def _normal(sentence: str) -> str:
    return " ".join(re.findall(r"\w+", re.sub("['\u2019]", "", sentence.casefold())))


def _grade_problems(scripts: Iterable[Script], rules: SafetyRules) -> Iterator[Problem]:
    by_language: dict[str, list[Script]] = defaultdict(list)
    for script in scripts:
        by_language[script.language].append(script)
    for language, found in by_language.items():
        limits = rules.plain.get(language)
        if limits is None:
            continue
        for strand, whole in _readings(found, language).items():
            if whole.grade > limits.strand_grade:
                detail = f"grade {whole.grade} in {language!r}; {limits.strand_grade} is the most"
                yield Problem(strand, "grade", detail)
            if limits.strand_ease is not None and whole.ease < limits.strand_ease:
                detail = f"ease {whole.ease} in {language!r}; {limits.strand_ease} is the least"
                yield Problem(strand, "grade", detail)
