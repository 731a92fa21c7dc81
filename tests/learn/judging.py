"""How well it was learnt: on each author's texts, from those of all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from service.inbox.understanding import Intent
from service.inbox.understanding.intents import is_asked
from service.inbox.understanding.likeness import Likeness
from tests.learn.linear import Learned, learn
from tests.learn.texts import Text, examples
from tests.support.labelled import OURS

FALSE = {Intent.OPT_OUT: 2, Intent.URGENT: 1}
"""Of 1,000 texts by an author held out, so many may be taken for what they are not."""


@dataclass
class Figures:
    """How rules and likeness did on one author's texts.

    Attributes:
        texts: how many there are.
        meant: that mean the intent.
        alike: of those, so many by likeness alone.
        missed_by_rules: of those that mean it.
        missed: by both.
        false_by_rules: taken for one of them by the rules, and none.
        false: by either.
    """

    texts: int = 0
    meant: int = 0
    alike: int = 0
    missed_by_rules: int = 0
    missed: int = 0
    false_by_rules: int = 0
    false: int = 0

    def count(self, *, meant: bool, ruled: bool, alike: bool, asked: bool) -> None:
        """One more text."""
        self.texts += 1
        self.meant += meant
        self.alike += meant and alike
        alike = alike and asked
        self.missed_by_rules += meant and not ruled
        self.missed += meant and not (ruled or alike)
        self.false_by_rules += ruled and not meant
        self.false += (ruled or alike) and not meant


@dataclass(frozen=True)
class Judged:
    """A text of an author held out, and how like the texts of the others it is."""

    author: str
    text: Text
    score: float


def judged(known: Sequence[Text], intent: Intent) -> Iterator[Judged]:
    """Each author's texts, by what was learnt from those that this author did not write."""
    for author in sorted({author for text in known for author in text.authors}):
        others = [text for text in known if author not in text.authors]
        found = of(learn(examples(others, intent)))
        for text in known:
            if author in text.authors:
                yield Judged(author, text, found.score(text.pieces))


def of(learned: Learned, least: float = 0.0) -> Likeness:
    """The model, as the package has it."""
    return Likeness(learned.weights, learned.step, learned.bias, least)


def asked(text: Text, intent: Intent) -> bool:
    """Whether the second opinion is asked for at all."""
    if intent == Intent.OPT_OUT and text.denies:
        return False
    return text.weighed and is_asked(intent, text.ruled)


def least_score(found: Iterable[Judged], intent: Intent) -> float:
    """The lowest score that takes few enough for what they are not."""
    others = [each for each in found if each.author != OURS]
    false = sorted(
        each.score
        for each in others
        if asked(each.text, intent) and intent not in each.text.intents
    )
    allowed = FALSE[intent] * len(others) // 1000
    return ceil(false[-allowed - 1] * 100) / 100


def figures(found: Iterable[Judged], intent: Intent, least: float) -> dict[str, Figures]:
    """How it went, by author."""
    counted: dict[str, Figures] = {}
    for each in found:
        counted.setdefault(each.author, Figures()).count(
            meant=intent in each.text.intents,
            ruled=intent in each.text.ruled.intents,
            alike=each.score >= least,
            asked=asked(each.text, intent),
        )
    return counted
