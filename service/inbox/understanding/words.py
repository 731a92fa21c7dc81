"""Words in a row as patterns look at them: which classes stand where, as bits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from service.inbox.understanding.plain import PARTS, Sentence
from service.inbox.understanding.rulefiles import Lexicon, classes_of, lexicon

TITLED: Final = "titled"
"""Words with a capital where only a name would have one."""
SHOUTED_STOP: Final = "shouted_stop"
"""STOP in capitals, in a text that is not all in capitals."""
SCORE: Final = "score"
"""Numbers from 0 to 10, in words too."""
HALF: Final = "half"
"""Numbers up to 10 with a fraction."""
ASKED: Final = "asked"
"""The last word of a question."""
HERE: Final = "here"
"""The one number that is asked about."""
FIGURE: Final = "figure"
"""Other words with digits: times, prices, telephone numbers."""
PLURAL: Final = "plural"
"""Words that end as plurals do: they tell what is counted, most likely."""
OF_PLACE: Final = frozenset({TITLED, SHOUTED_STOP, SCORE, HALF, ASKED, HERE, FIGURE, PLURAL})
"""Classes that a word is in by more than its letters."""
MOST: Final = 10
_STOPS: Final = frozenset({"stop", "unsubscribe", "stopall", "quit"})
_PLURAL: Final = re.compile(r"[a-z]+[^suiw\W\d_]s")
_FRACTION: Final = re.compile(r"\d[.,]\d{1,2}|10[.,]0")
_NUMBER_WORDS: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"),
    *("zero", "one", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
)
VALUE: Final = {word: at % (MOST + 1) for at, word in enumerate(_NUMBER_WORDS)} | {
    str(number): number for number in range(MOST + 1)
}
"""What a word for a number from 0 to 10 is worth."""


class Words:
    """A row of words with their classes."""

    def __init__(self, words: Sequence[str], places: Mapping[str, int]) -> None:
        """Look the words up.

        Args:
            words: in the plain form.
            places: where the words of `OF_PLACE` stand.
        """
        self.words = tuple(words)
        self.end = 1 << len(self.words)
        self._places = dict(places)
        self._phrases: dict[str, list[tuple[int, int]]] = {}
        self._words: dict[str, int] = {}
        for at, word in enumerate(self.words):
            self._words[word] = self._words.get(word, 0) | 1 << at
        self._look_up(lexicon())
        classes = (*self._places, *self._phrases)
        self.present = frozenset((*self._words, *(f"{{{name}}}" for name in classes)))

    def word(self, word: str) -> int:
        """The places where a word stands."""
        return self._words.get(word, 0)

    def singles(self, name: str) -> int:
        """The places where a word of a class stands."""
        return self._places.get(name, 0)

    def phrases(self, name: str) -> Sequence[tuple[int, int]]:
        """Where phrases of a class stand, as a bit, and how many words they are."""
        return self._phrases.get(name, ())

    def with_places(self, name: str, places: int) -> Words:
        """The same words, with one of `OF_PLACE` at these places."""
        return Words(self.words, {**self._given(), name: places})

    def part(self, start: int, end: int) -> Words:
        """The words from one place up to another."""
        kept = (1 << (end - start)) - 1
        given = {name: places >> start & kept for name, places in self._given().items()}
        return Words(self.words[start:end], given)

    def without(self, at: int) -> Words:
        """The words without the one at a place."""
        before = (1 << at) - 1
        given = {
            name: places & before | places >> 1 & ~before for name, places in self._given().items()
        }
        return Words((*self.words[:at], *self.words[at + 1 :]), given)

    def parts(self) -> Iterator[Words]:
        """The parts between commas, where there are any."""
        commas = [at for at, word in enumerate(self.words) if word == PARTS]
        if commas:
            for start, end in pairwise([-1, *commas, len(self.words)]):
                if end > start + 1:
                    yield self.part(start + 1, end)

    def _given(self) -> dict[str, int]:
        return {name: places for name, places in self._places.items() if name in OF_PLACE}

    def _look_up(self, known: Lexicon) -> None:
        for word, places in self._words.items():
            for name in classes_of(word):
                self._places[name] = self._places.get(name, 0) | places
        for at, word in enumerate(self.words):
            for phrase, name in known.of_phrase.get(word, ()):
                if self.words[at : at + len(phrase)] == phrase:
                    self._phrases.setdefault(name, []).append((1 << at, len(phrase)))


def words_of(sentence: Sentence) -> Words:
    """The words of a sentence."""
    names = _names(sentence)
    stops = _places(word in _STOPS for word in sentence.words) & sentence.shouted
    return Words(
        sentence.words,
        {
            TITLED: names,
            SHOUTED_STOP: stops,
            SCORE: _places(word in VALUE for word in sentence.words),
            HALF: _places(bool(_FRACTION.fullmatch(word)) for word in sentence.words),
            FIGURE: _places(_is_figure(word) for word in sentence.words),
            PLURAL: _places(bool(_PLURAL.fullmatch(word)) for word in sentence.words),
            ASKED: sentence.asks << len(sentence.words) >> 1,
        },
    )


def _is_figure(word: str) -> bool:
    return word not in VALUE and any(map(str.isdigit, word)) and not _FRACTION.fullmatch(word)


def _names(sentence: Sentence) -> int:
    """The places of capitalised words that no class knows: names, most likely."""
    unknown = _places(not classes_of(word) and word.isalpha() for word in sentence.words)
    return sentence.titled & unknown


def joined(sentences: Iterable[Words]) -> Words:
    """The words of a whole text, with ``"."`` between sentences."""
    words: list[str] = []
    places: dict[str, int] = {}
    for sentence in sentences:
        if words:
            words.append(".")
        for name in OF_PLACE:
            places[name] = places.get(name, 0) | sentence.singles(name) << len(words)
        words += sentence.words
    return Words(words, places)


def _places(told: Iterable[bool]) -> int:
    return sum(1 << at for at, true in enumerate(told) if true)
