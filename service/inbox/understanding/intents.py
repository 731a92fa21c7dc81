"""What a text means: its intents, the answer it holds, and the rules that said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

from service.inbox.understanding.check_in import check_in
from service.inbox.understanding.likeness import PREFIX, can_be_weighed, likeness, pieces_of
from service.inbox.understanding.plain import Sentence, plain
from service.inbox.understanding.rules import Rule, rules_of
from service.inbox.understanding.urgent import urgent
from service.inbox.understanding.words import Words, joined, words_of


class Intent(StrEnum):
    """What a patient may want of us, in the order in which intents are listed."""

    OPT_OUT = "opt_out"
    """Nothing more."""
    OPT_IN = "opt_in"
    """Messages again."""
    HELP = "help"
    """To know who we are and how this works."""
    AFFIRM = "affirm"
    DECLINE = "decline"
    CHECK_IN = "check_in"
    """An answer to "how bad is it, 0 to 10"."""
    URGENT = "urgent"
    """A sign that cannot wait for the next visit."""
    OTHER = "other"
    """Nothing of these."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text means.

    Attributes:
        intents: in the order of `Intent`; never empty, `OTHER` only by itself.
        check_in: 0 to 10; None where the text holds no answer, or an ambiguous one.
        rules: the names of the rules that fired.
        everything: the wish to leave goes beyond the channel that it came by.
        wrong_number: the number is somebody else's.
        died: the patient has died.
    """

    intents: tuple[Intent, ...]
    check_in: int | None
    rules: tuple[str, ...]
    everything: bool = False
    wrong_number: bool = False
    died: bool = False


_LEAVING: Final = ("opt_out", "leaving", "plainly", "refusing", "spanish", "stranger")
_OVERRULED: Final = {
    Intent.OPT_OUT: {Intent.OPT_IN, Intent.AFFIRM, Intent.DECLINE},
    Intent.OPT_IN: {Intent.AFFIRM},
}
"""A "yes" or "no" beside a wish is part of it, and a wish to leave outweighs one to come back."""
ALIKE: Final = {
    Intent.OPT_OUT: {Intent.OPT_IN, Intent.HELP, Intent.AFFIRM, Intent.DECLINE},
    Intent.URGENT: set[Intent](),
}
"""What is also told by likeness, unless rules have found one of these.

Where they have, those who were like leavers wanted to come back or asked how this works.
"""


LASTING_SIGNS: Final = frozenset(
    {
        "urgent.self_harm",
        *("urgent.means", "urgent.farewell", "urgent.joining", "urgent.no_reason"),
        "urgent.french_self_harm",
    }
)
"""Rules beside which likeness does not hear a wish to leave."""


def understand(text: str) -> Understanding:
    """What a text means; any text has an answer."""
    sentences = plain(text)
    ruled = _by_rules(sentences)
    alike = _alike(ruled, sentences)
    if not alike:
        return ruled
    said = {*ruled.intents, *alike} - {Intent.OTHER}
    return replace(
        ruled,
        intents=tuple(intent for intent in Intent if intent in said),
        rules=(*ruled.rules, *(f"{PREFIX}{intent}" for intent in alike)),
    )


def understand_by_rules(text: str) -> Understanding:
    """What the rules by themselves make of a text."""
    return _by_rules(plain(text))


def is_asked(of: Intent, ruled: Understanding) -> bool:
    """Whether likeness is asked about an intent, where rules have understood so much.

    Who thinks of leaving this life is not asked whether he wants to leave us.
    """
    said = set(ruled.intents)
    ending = of == Intent.OPT_OUT and not LASTING_SIGNS.isdisjoint(ruled.rules)
    return of not in said and ALIKE[of].isdisjoint(said) and not ending


def _alike(ruled: Understanding, sentences: Sequence[Sentence]) -> list[Intent]:
    """What rules have not found, and the text is like."""
    asked = [of for of in ALIKE if is_asked(of, ruled)]
    if not asked or not can_be_weighed(sentences):
        return []
    pieces = pieces_of(sentences)
    found = [intent for intent in asked if likeness(intent).holds(pieces)]
    if Intent.OPT_OUT in found and denies_leaving(sentences):
        found.remove(Intent.OPT_OUT)
    return found


def _by_rules(plainly: Sequence[Sentence]) -> Understanding:
    sentences = [words_of(sentence) for sentence in plainly]
    if not sentences:
        return Understanding((Intent.OTHER,), None, ())
    whole = joined(sentences)
    fired = list(_fired(sentences, whole))
    answer = check_in(sentences)
    signs = tuple(urgent(sentences))
    said = {Intent(rule.intent) for rule in fired}
    said |= {Intent.CHECK_IN} if answer else set()
    said |= {Intent.URGENT} if signs else set()
    for intent, overruled in _OVERRULED.items():
        if intent in said:
            said -= overruled
    names = [rule.name for rule in fired if Intent(rule.intent) in said]
    marks = {mark for rule in fired for mark in rule.marks}
    return Understanding(
        intents=tuple(intent for intent in Intent if intent in said) or (Intent.OTHER,),
        check_in=answer.value if answer else None,
        rules=(*names, *([answer.rule] if answer else ()), *signs),
        everything="everything" in marks,
        wrong_number="wrong_number" in marks,
        died="died" in marks,
    )


def _fired(sentences: Sequence[Words], whole: Words) -> Iterator[Rule]:
    turned = [*sentences, *_turns(sentences)]
    within = {
        "opening": sentences[:1],
        "part": _parts(turned),
        "sentence": turned,
        "text": [whole],
    }
    for rule in (*_leaving_rules(), *rules_of("answers").rules):
        looked = within[rule.within]
        if any(rule.fires(each, whole) for each in looked):
            yield rule


def denies_leaving(plainly: Sequence[Sentence]) -> bool:
    """Whether the text says that somebody does not want to leave."""
    parts = _parts([words_of(sentence) for sentence in plainly])
    staying = rules_of("opt_out", Intent.OPT_OUT).lists["staying"]
    return any(staying.found(part) for part in parts) or any(
        rule.is_turned_round(part) for rule in _leaving_rules() for part in parts
    )


def _leaving_rules() -> Iterator[Rule]:
    for file in _LEAVING:
        yield from rules_of(file, Intent.OPT_OUT).rules


def _turns(sentences: Sequence[Words]) -> Iterator[Words]:
    """What stands before and after a turn (``stop the texts but not my pills``), without it."""
    turns = rules_of("opt_out", Intent.OPT_OUT).lists["turns"]
    for sentence in sentences:
        cuts = {at for at, _ in turns.spans(sentence)} - {0}
        for start, end in pairwise(sorted({0, len(sentence.words)} | cuts) if cuts else ()):
            yield sentence.part(start + bool(start), end)


def _parts(sentences: Sequence[Words]) -> Sequence[Words]:
    """The sentences, and what stands between their commas."""
    return [*sentences, *(part for sentence in sentences for part in sentence.parts())]
