"""Signs that cannot wait, unless the same clause denies them or says that they are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from service.inbox.understanding.patterns import Pattern
from service.inbox.understanding.rules import Rule, RuleFile, rules_of
from service.inbox.understanding.words import Words


def urgent(sentences: Sequence[Words]) -> Iterator[str]:
    """The names of the rules that a text fires."""
    rules = rules_of("urgent", "urgent")
    clauses = [clause for sentence in sentences for clause in _clauses(sentence, rules)]
    for rule in rules.rules:
        if any(_said(rule, clause, rules) for clause in clauses):
            yield rule.name


def _clauses(sentence: Words, rules: RuleFile) -> Iterator[Words]:
    """A sentence apart at ``but``, and where another subject begins."""
    cuts = {at for pattern in rules.lists["clauses"] for at, _ in pattern.spans(sentence)}
    places = sorted({0, len(sentence.words)} | cuts)
    for start, end in pairwise(places):
        yield sentence.part(start, end)


def _said(rule: Rule, clause: Words, rules: RuleFile) -> bool:
    """Whether a sign is there that is neither denied before it nor over after it."""
    spans = [span for pattern in rule.says for span in pattern.spans(clause)]
    if not spans or any(guard.holds(clause) for guard in rule.unless):
        return False
    return any(
        not _any(rules.lists["denied"], clause.part(0, start))
        and ("lasting" in rule.marks or not _over(clause.part(end, len(clause.words)), rules))
        for start, end in spans
    )


def _over(after: Words, rules: RuleFile) -> bool:
    return _any(rules.lists["over"], after)


def _any(patterns: Sequence[Pattern], looked: Words) -> bool:
    return any(pattern.found(looked) for pattern in patterns)
