"""The rule files, and the classes of words that they name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from service.inbox.understanding.patterns import BadPattern

_RULES: Final = Path(__file__).parent / "rules"
WORD_FILES: Final = ("words_en", "words_es", "words_fr")
PATTERN_FILES: Final = (
    "opt_out",
    "leaving",
    "plainly",
    "refusing",
    "spanish",
    "stranger",
    "answers",
    "check_in",
    "urgent",
)
_LETTERS: Final = re.compile(r"[a-z]+(?=[^a-z*]|$)")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The classes of words: which classes a word, a beginning or a phrase belongs to.

    Attributes:
        names: of all classes.
        of_word: the classes of a whole word.
        of_beginning: words that begin so, and their class (``suicid*``).
        of_phrase: by its first word, a phrase and its class (``passed_away``).
    """

    names: frozenset[str]
    of_word: Mapping[str, frozenset[str]]
    of_beginning: tuple[tuple[str, str], ...]
    of_phrase: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]

    def classes(self, word: str) -> Iterator[str]:
        """The classes of a word."""
        yield from self.of_word.get(word, ())
        for beginning, name in self.of_beginning:
            if word.startswith(beginning):
                yield name


@cache
def rule_file(name: str) -> dict[str, Any]:
    """One of the rule files, as it stands there."""
    return tomllib.loads(_packaged(f"{name}.toml"))


@cache
def lexicon() -> Lexicon:
    """The classes of all languages; a class that several files name has the words of all.

    Raises:
        BadPattern: a class takes in one that there is not.
    """
    written: dict[str, list[str]] = {}
    for file in WORD_FILES:
        for name, words in rule_file(file).items():
            written.setdefault(name, []).extend(words.split())
    of_word: dict[str, set[str]] = {}
    beginnings: list[tuple[str, str]] = []
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name in written:
        for entry in _entries(name, written):
            if entry.endswith("*"):
                beginnings.append((entry.rstrip("*"), name))
            elif "_" in entry:
                phrase = tuple(entry.split("_"))
                phrases.setdefault(phrase[0], []).append((phrase, name))
            else:
                of_word.setdefault(entry, set()).add(name)
    return Lexicon(
        frozenset(written),
        {word: frozenset(names) for word, names in of_word.items()},
        tuple(beginnings),
        {first: tuple(found) for first, found in phrases.items()},
    )


@lru_cache(maxsize=4096)
def classes_of(word: str) -> tuple[str, ...]:
    """The classes of a word."""
    return tuple(lexicon().classes(word))


@cache
def known_words() -> frozenset[str]:
    """Every word that a class or a pattern names: it is right as it is."""
    found: set[str] = set()
    for file in (*WORD_FILES, *PATTERN_FILES):
        for text in _texts(rule_file(file)):
            found.update(_LETTERS.findall(text))
    return frozenset(found)


@cache
def real_words() -> frozenset[str]:
    """Words that are right as they are, though one letter away from one of ours."""
    return frozenset(_packaged("real_words.txt").split())


def _packaged(name: str) -> str:
    return (_RULES / name).read_text("utf-8")


def _entries(name: str, written: Mapping[str, list[str]], depth: int = 0) -> Iterator[str]:
    """The words of a class and of those it takes in, as ``{other}``."""
    for entry in written[name]:
        if not entry.startswith("{"):
            yield entry
        elif entry[1:-1] in written and depth < len(written):
            yield from _entries(entry[1:-1], written, depth + 1)
        else:
            raise BadPattern(f"The class {name!r} takes in {entry}, which there is not.")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
