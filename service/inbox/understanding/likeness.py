"""How like a text is to those that mean something: a second opinion beside the rules.

A linear model, learnt from all labelled texts (``python -m tests.learn``). A piece is one to three
words in a row, in the plain form, and the same with each word's class in its place
(``want {message}``). Each piece that was learnt has a weight; how like a text is to the others is
the sum of its pieces' weights over the square root of how many pieces it has. Pieces that were
never learnt weigh nothing, so that gibberish and other scripts are like nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise, repeat
from math import sqrt
from pathlib import Path
from typing import Final

from service.inbox.understanding.plain import PARTS, Sentence, plain
from service.inbox.understanding.rulefiles import known_words, lexicon

LEARNED: Final = Path(__file__).parent / "learned"
"""One file an intent: a line of JSON about the whole, then each weight and the pieces of it."""
PREFIX: Final = "likeness."
"""Of the names by which a likeness stands among the rules that fired."""
FEWEST_WORDS: Final = 3
"""In a shorter text a single word, such as a name or a part of the body, would decide."""
MOST_SHOWN: Final = 3
_LONGEST: Final = 3
_BEGINNING, _END, _ASKED = "^", ".", "?"
_SIGNS: Final = frozenset({_BEGINNING, _END, _ASKED, PARTS})


@dataclass(frozen=True, slots=True)
class Likeness:
    """What was learnt about one intent.

    Attributes:
        weights: of pieces, in steps.
        step: what one step of a weight is worth.
        bias: what a text without known pieces comes to.
        least: a text that comes to this or more is taken for one of them.
        texts: digest of what it was learnt from.
        figures: how it did on texts of authors whom it had not learnt from; by the tests.
    """

    weights: Mapping[str, int]
    step: float
    bias: float
    least: float
    texts: str = ""
    figures: Mapping[str, Mapping[str, int]] | None = None

    def score(self, pieces: frozenset[str]) -> float:
        """How like the texts of this intent these pieces are; 0 is as like as not."""
        weighed = sum(map(self.weights.get, pieces, repeat(0)))
        return self.bias + self.step * weighed / sqrt(len(pieces) or 1)

    def holds(self, pieces: frozenset[str]) -> bool:
        """Whether that is enough to act on."""
        return self.score(pieces) >= self.least


@cache
def likeness(intent: str) -> Likeness:
    """What was learnt about an intent.

    Args:
        intent: ``opt_out`` or ``urgent``.
    """
    head, *lines = (LEARNED / f"{intent}.tsv").read_text("utf-8").splitlines()
    weights: dict[str, int] = {}
    for line in lines:
        weight, *pieces = line.split("\t")
        weights.update(dict.fromkeys(pieces, int(weight)))
    return Likeness(weights, **json.loads(head))


def can_be_weighed(sentences: Iterable[Sentence]) -> bool:
    """Whether a text has so many different words that they say something together."""
    words = {word for sentence in sentences for word in sentence.words if _speaks(word)}
    return len(words) >= FEWEST_WORDS


def _speaks(word: str) -> bool:
    """Whether it is a word that rules know, and no sign, number or letter that somebody hit."""
    return len(word) > 1 and word in known_words()


def pieces_of(sentences: Iterable[Sentence]) -> frozenset[str]:
    """The pieces of a text; each once."""
    words = _row(sentences)
    return frozenset((*_runs(words), *_runs([_class_of(word) for word in words])))


def told(rules: Sequence[str], text: str) -> tuple[str, ...]:
    """The rules that fired, for people: with the words of the text that made it like others."""
    if not any(rule.startswith(PREFIX) for rule in rules):
        return tuple(rules)
    sentences = plain(text)
    return tuple(_told(rule, sentences) for rule in rules)


def _told(rule: str, sentences: Sequence[Sentence]) -> str:
    if not rule.startswith(PREFIX):
        return rule
    most = weighed_most(rule.removeprefix(PREFIX), sentences)
    quoted = " ".join(f"“{words}”" for words in most)
    return f"{rule} ({quoted})" if quoted else rule


def weighed_most(intent: str, sentences: Iterable[Sentence]) -> tuple[str, ...]:
    """The pieces of a text that made it most like an intent, in the text's own words."""
    weights = likeness(intent).weights
    words = _row(sentences)
    classes = [_class_of(word) for word in words]
    spans: dict[tuple[int, int], int] = {}
    for length in range(1, _LONGEST + 1):
        for at in range(len(words) - length + 1):
            both = {" ".join(row[at : at + length]) for row in (words, classes)}
            spans[at, at + length] = sum(weights.get(piece, 0) for piece in both)
    shown: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (-spans[span], span)):
        said = not _SIGNS.issuperset(words[start:end])
        apart = all(end <= other or start >= until for other, until in shown)
        if said and apart and spans[start, end] > 0 and len(shown) < MOST_SHOWN:
            shown.append((start, end))
    texts = (" ".join(w for w in words[start:end] if w not in _SIGNS) for start, end in shown)
    return tuple(dict.fromkeys(texts))


def _row(sentences: Iterable[Sentence]) -> list[str]:
    """All words in a row, with signs for where sentences begin and end."""
    row = [_BEGINNING]
    for sentence in sentences:
        row += sentence.words
        row.append(_ASKED if sentence.asks else _END)
    return row


def _runs(row: Sequence[str]) -> Iterator[str]:
    yield from row
    yield from map(" ".join, pairwise(row))
    yield from map(" ".join, zip(row, row[1:], row[2:], strict=False))


@lru_cache(maxsize=4096)
def _class_of(word: str) -> str:
    """The word's class, the first by name where it has several; itself where it has none."""
    return min((f"{{{name}}}" for name in lexicon().classes(word)), default=word)
