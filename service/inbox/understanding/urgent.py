"""Signs that cannot wait, unless the same clause denies them or says that they are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from service.inbox.understanding.rules import LASTING, Rule, RuleFile, rules_of
from service.inbox.understanding.words import Words, joined


def urgent(sentences: Sequence[Words]) -> Iterator[str]:
    """The names of the rules that a text fires."""
    rules = rules_of("urgent", "urgent")
    whole = joined(sentences)
    clauses = [clause for sentence in sentences for clause in _clauses(sentence, rules)]
    for rule in rules.rules:
        looked = _looked_at(rule, whole, sentences, clauses)
        if any(_said(rule, each, rules) for each in looked) and not any(
            guard.holds(whole) for guard in rule.unless_text
        ):
            yield rule.name


def _looked_at(
    rule: Rule, whole: Words, sentences: Sequence[Words], clauses: Sequence[Words]
) -> Sequence[Words]:
    """What a rule is matched against."""
    if rule.within == "text":
        return (whole,)
    return sentences if LASTING in rule.marks else clauses


def _clauses(sentence: Words, rules: RuleFile) -> Iterator[Words]:
    """A sentence apart at ``but``, and where another subject begins."""
    cuts = {at for at, _ in rules.lists["clauses"].spans(sentence)}
    places = sorted({0, len(sentence.words)} | cuts)
    for start, end in pairwise(places):
        yield sentence.part(start, end)


def _said(rule: Rule, clause: Words, rules: RuleFile) -> bool:
    """Whether a sign is there that is neither denied before it nor over after it."""
    if LASTING in rule.marks:
        return any(_threatens(rule, part, rules) for part in _without(rule, clause))
    spans = rule.says.spans(clause)
    if not spans or any(guard.holds(clause) for guard in rule.unless):
        return False
    return any(
        not rules.lists["denied"].found(clause.part(0, start))
        and not rules.lists["over"].found(clause.part(end, len(clause.words)))
        for start, end in spans
    )


def _threatens(rule: Rule, said: Words, rules: RuleFile) -> bool:
    """Whether a sign is there; it is denied right before it only, and over only after years."""
    denied, over = rules.lists["denied_lasting"], rules.lists["over_lasting"]
    return any(
        not denied.found(said.part(0, start)) and not over.found(said.part(end, len(said.words)))
        for start, end in rule.says.spans(said)
    )


def _without(rule: Rule, said: Words) -> Iterator[Words]:
    """What is left of a sentence without the words of its metaphors: they take away no others."""
    if not rule.says.found(said):
        return
    at = 0
    idioms = (span for guard in rule.unless for span in guard.patterns.spans(said))
    for start, end in sorted(idioms):
        yield said.part(at, max(at, start))
        at = max(at, end)
    yield said.part(at, len(said.words))
