"""Answers to "how bad is it, 0 to 10", and numbers that are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.inbox.understanding.plain import PARTS
from service.inbox.understanding.rules import Rule, RuleFile, rules_of
from service.inbox.understanding.words import HALF, HERE, PLURAL, SCORE, VALUE, Words

MOST_NUMBERS: Final = 12
"""So many numbers of a sentence are looked at: each is against all its words."""
BESIDE: Final = "check_in.beside"
"""The rule of numbers side by side, which may be one number said again."""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What a text answers to the question.

    Attributes:
        value: 0 to 10; None where it answers, and not with one number.
        rule: how it was recognised.
    """

    value: int | None
    rule: str


def check_in(sentences: Sequence[Words]) -> CheckIn | None:
    """The answer in a text, how it is before how it was; None where no number is one."""
    rules = rules_of("check_in")
    asked = [_counted(_said_once(each), rules) for each in sentences]
    told = [answer for each in asked for answer in _answers(each, rules)]
    found = [answer for answer, earlier in told if not earlier] or [answer for answer, _ in told]
    if not found:
        return None
    first = found[0]
    if all(answer.value == first.value for answer in found):
        return first
    for surest in ("check_in.corrected", "check_in.out_of_ten"):
        sure = [answer for answer in found if answer.rule == surest]
        if len(sure) == 1 and (surest != "check_in.corrected" or sure[0].value == found[-1].value):
            return sure[0]
    return CheckIn(None, "check_in.several")


def _said_once(sentence: Words) -> Words:
    """The words, in which a number said twice in a row (``6 six``, ``fve, five``) stands once."""
    worth = [VALUE.get(word) for word in sentence.words]
    again: list[int] = []
    for at in range(1, len(worth)):
        comma = at > 1 and sentence.words[at - 1] == PARTS
        if worth[at] is not None and worth[at] == worth[at - 1 - comma]:
            again += [at - 1, at] if comma else [at]
    for at in reversed(again):
        sentence = sentence.without(at)
    return sentence


def _counted(sentence: Words, rules: RuleFile) -> Words:
    """The words, in which the 10 of "out of 10", the ends of a scale and verbs count nothing."""
    numbers = sentence.singles(SCORE)
    scale = 0
    for _, end in rules.lists["denominators"].spans(sentence):
        scale |= 1 << (end - 1)
    for start, end in rules.lists["scales"].spans(sentence):
        scale |= (1 << end) - (1 << start)
    sentence = sentence.with_places(SCORE, numbers & ~scale) if scale else sentence
    plural = sentence.singles(PLURAL)
    for start, _ in rules.lists["no_plural"].spans(sentence) if plural else ():
        plural &= ~(1 << start)
    return sentence.with_places(PLURAL, plural)


def _answers(sentence: Words, rules: RuleFile) -> list[tuple[CheckIn, bool]]:
    """The answers of one sentence; of each, whether it is how it was before."""
    found = []
    numbers = sentence.singles(SCORE) | sentence.singles(HALF)
    places = [at for at in range(len(sentence.words)) if numbers >> at & 1]
    for at in places[:MOST_NUMBERS]:
        asked = sentence.with_places(HERE, 1 << at)
        rule = next((rule for rule in rules.rules if _says(rule, asked)), None)
        if rule:
            answer = CheckIn(_worth(rule, sentence, at), rule.name)
            found.append((answer, rules.lists["earlier"].found(asked)))
    return found


def _worth(rule: Rule, sentence: Words, at: int) -> int | None:
    """What the number at a place is worth; None where others stand beside it."""
    if "ambiguous" not in rule.marks:
        return VALUE.get(sentence.words[at])
    scores = sentence.singles(SCORE)
    worth = {VALUE[word] for place, word in enumerate(sentence.words) if scores >> place & 1}
    return worth.pop() if rule.name == BESIDE and len(worth) == 1 else None


def _says(rule: Rule, asked: Words) -> bool:
    if rule.fires(asked, asked):
        return True
    parts = asked.parts() if rule.within == "part" else ()
    return any(rule.fires(part, asked) for part in parts)
