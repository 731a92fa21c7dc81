"""Learns what texts are like that mean something, from all labelled texts of the repository.

    python -m tests.learn

Writes ``service/inbox/understanding/learned``; to stdout, how rules alone and rules with what was
learnt do on each author's texts, where it was learnt from those of all others. That is also how the
score is chosen at which a text is taken for one of them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil

from service.inbox.understanding import Intent, Understanding, understand_by_rules
from service.inbox.understanding.intents import ALIKE
from service.inbox.understanding.likeness import LEARNED, Likeness, pieces_of
from service.inbox.understanding.plain import plain
from tests.learn.linear import Example, Learned, learn
from tests.support.labelled import OURS, Labelled, corpus, measured

FALSE = {Intent.OPT_OUT: 4, Intent.URGENT: 1}
"""Of 1,000 texts by an author held out, so many may be taken for what they are not."""


@dataclass(frozen=True)
class Text:
    """One text of the repository.

    Attributes:
        pieces: what it is made of.
        intents: what it means.
        authors: who wrote it; common ones several did.
        ruled: what the rules by themselves make of it.
    """

    pieces: frozenset[str]
    intents: tuple[Intent, ...]
    authors: frozenset[str]
    ruled: Understanding


@dataclass
class Figures:
    """How rules and likeness did on one author's texts.

    Attributes:
        texts: how many there are.
        meant: that mean the intent.
        missed_by_rules: of those.
        missed: by both.
        false_by_rules: taken for one of them by the rules, and none.
        false: by either.
    """

    texts: int = 0
    meant: int = 0
    missed_by_rules: int = 0
    missed: int = 0
    false_by_rules: int = 0
    false: int = 0

    def count(self, *, meant: bool, ruled: bool, alike: bool) -> None:
        """One more text."""
        self.texts += 1
        self.meant += meant
        self.missed_by_rules += meant and not ruled
        self.missed += meant and not (ruled or alike)
        self.false_by_rules += ruled and not meant
        self.false += (ruled or alike) and not meant


def labelled() -> dict[str, tuple[Labelled, frozenset[str]]]:
    """Every text once, as the last that has it labels it, with its authors."""
    found: dict[str, tuple[Labelled, frozenset[str]]] = {}
    for each in (*corpus(), *measured()):
        _, authors = found.get(each.text, (each, frozenset()))
        found[each.text] = each, authors | {each.author}
    return {text: (each, authors - {OURS} or authors) for text, (each, authors) in found.items()}


def texts() -> list[Text]:
    """All labelled texts, in order."""
    return [
        Text(pieces_of(plain(text)), each.intents, authors, understand_by_rules(text))
        for text, (each, authors) in sorted(labelled().items())
    ]


def digest(intent: Intent) -> str:
    """Of all pieces and labels that an intent is learnt from."""
    said = hashlib.sha256()
    for text, (each, _) in sorted(labelled().items()):
        line = [sorted(pieces_of(plain(text))), intent in each.intents]
        said.update(json.dumps(line).encode())
    return said.hexdigest()[:16]


def examples(known: Iterable[Text], intent: Intent) -> list[Example]:
    """What is learnt from these texts."""
    return [Example(text.pieces, intent in text.intents) for text in known]


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
    said = set(text.ruled.intents)
    return intent not in said and not said & ALIKE[intent]


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
            alike=asked(each.text, intent) and each.score >= least,
        )
    return counted


def write(intent: Intent, learned: Learned, least: float, counted: Mapping[str, Figures]) -> None:
    """The file of an intent."""
    head = {
        "step": learned.step,
        "bias": learned.bias,
        "least": least,
        "texts": digest(intent),
        "figures": {author: asdict(each) for author, each in counted.items()},
    }
    grouped: dict[int, list[str]] = defaultdict(list)
    for piece, weight in sorted(learned.weights.items()):
        grouped[weight].append(piece)
    lines = ["\t".join((str(weight), *grouped[weight])) for weight in sorted(grouped, reverse=True)]
    LEARNED.mkdir(exist_ok=True)
    (LEARNED / f"{intent}.tsv").write_text("\n".join([json.dumps(head), *lines, ""]), "utf-8")


def main() -> None:
    """Learn, tell how it did on authors held out, and write."""
    known = texts()
    for intent in FALSE:
        found = list(judged(known, intent))
        least = least_score(found, intent)
        counted = figures(found, intent, least)
        for author, each in counted.items():
            sys.stdout.write(f"{intent} {author:7} {asdict(each)}\n")
        learned = learn(examples(known, intent))
        sys.stdout.write(f"{intent}: at {least}, {len(learned.weights)} pieces\n")
        write(intent, learned, least, counted)


if __name__ == "__main__":
    main()
