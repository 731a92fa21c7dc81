"""Answers to "how bad is it, 0 to 10", and numbers that are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.inbox.understanding.rules import RuleFile, rules_of
from service.inbox.understanding.words import HALF, SCORE, VALUE, Words


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
    """The answer in a text; None where no number in it is one."""
    rules = rules_of("check_in")
    found = [answer for sentence in sentences for answer in _answers(sentence, rules)]
    if not found:
        return None
    first = found[0]
    if all(answer.value == first.value for answer in found):
        return first
    scaled = [answer for answer in found if answer.rule == "check_in.out_of_ten"]
    if len(scaled) == 1:
        return scaled[0]
    return CheckIn(None, "check_in.several")


def _answers(sentence: Words, rules: RuleFile) -> list[CheckIn]:
    """The answers of one sentence; one without a number where it holds a range."""
    answers = []
    for at in range(len(sentence.words)):
        place = 1 << at
        if place & (sentence.singles(SCORE) | sentence.singles(HALF)):
            rule = _rule(sentence.asked_about(place), rules)
            if rule:
                answers.append((at, CheckIn(VALUE.get(sentence.words[at]), rule)))
    if answers and any(pattern.found(sentence) for pattern in rules.lists["ranges"]):
        return [CheckIn(None, "check_in.range")]
    now = [answer for at, answer in answers if not _earlier(sentence, at, rules)]
    return now or [answer for _, answer in answers]


def _rule(asked: Words, rules: RuleFile) -> str:
    return next((rule.name for rule in rules.rules if rule.fires(asked, asked)), "")


def _earlier(sentence: Words, at: int, rules: RuleFile) -> bool:
    """Whether a number tells how it was before."""
    asked = sentence.asked_about(1 << at)
    return any(pattern.found(asked) for pattern in rules.lists["earlier"])
