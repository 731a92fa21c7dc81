"""Patterns over words, matched in time that grows with the text and with nothing else.

A pattern is written much as one would say it::

    {halt} {filler}* {sending}|{message}

- ``word``: that word. ``{name}``: a word or phrase of a class, or a pattern of that name.
- ``a|b``: either word; ``(a b|c)``: either sequence; ``x?``: perhaps; ``x*``: any number of times.
- ``^`` and ``$``: where the sentence begins and ends. ``_``: any one word.
- ``..``: up to three words, ``...``: up to seven, none of which denies or parts clauses.

Each part maps the places where it may begin to those where it may have ended. Places are the bits
of an integer: all are followed at once, and no text can make a pattern try the same way twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from service.errors import AftervisitError

BARRED: Final = "barred"
"""The class of the words that no gap passes over."""
SHORT_GAP: Final = 3
LONG_GAP: Final = 7
_PIECES: Final = re.compile(r"\.\.\.?|[()|?*^$]|\{\w+\}|[^\s()|?*^${}]+")


class BadPattern(AftervisitError):
    """A pattern of a rule file cannot be read; the text says which and why."""


class Looked(Protocol):
    """What a pattern is matched against: words in a row, and the classes that they belong to."""

    @property
    def end(self) -> int:
        """The place behind the last word, as a bit."""

    @property
    def present(self) -> frozenset[str]:
        """The words, and the names of their classes in braces."""

    def word(self, word: str) -> int:
        """The places where a word stands."""

    def singles(self, name: str) -> int:
        """The places where a word of a class stands."""

    def phrases(self, name: str) -> Sequence[tuple[int, int]]:
        """Where phrases of a class stand: the place as a bit, and how many words they are."""


Node = Callable[[Looked, int], int]
"""One part: from the places where it may begin to those where it may have ended."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was read.

    Attributes:
        node: what it matches.
        needs: words and ``{classes}`` of which one at least is in whatever it matches; none where
            it may match without a word.
        word: the one word or ``{class}`` that it is; empty where it is more.
    """

    node: Node
    needs: frozenset[str] = frozenset()
    word: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read; ``written`` is how it stands in the rule file."""

    written: str
    part: Part

    def found(self, looked: Looked) -> bool:
        """Whether the pattern matches anywhere."""
        needs = self.part.needs
        if needs and needs.isdisjoint(looked.present):
            return False
        return self.part.node(looked, _everywhere(looked)) != 0

    def spans(self, looked: Looked) -> list[tuple[int, int]]:
        """Where matches begin, each with the end of its shortest."""
        if not self.found(looked):
            return []
        ends = ((at, self.part.node(looked, 1 << at)) for at in range(looked.end.bit_length()))
        return [(at, (end & -end).bit_length() - 1) for at, end in ends if end]


def read_pattern(written: str, classes: frozenset[str], named: Mapping[str, Pattern]) -> Pattern:
    """Read a pattern.

    Args:
        written: as in the rule file.
        classes: the names of all classes of words.
        named: patterns that may be used by name.

    Raises:
        BadPattern: it names what there is not, or its brackets do not match.
    """
    return Pattern(written, _Reader(written, classes, named).whole())


class _Reader:
    """Reads the pieces of one pattern from left to right."""

    def __init__(self, written: str, classes: frozenset[str], named: Mapping[str, Pattern]) -> None:
        self._pieces: list[str] = [*_PIECES.findall(written), ""]
        self._written, self._classes, self._named = written, classes, named
        self._at = self._groups = 0

    def whole(self) -> Part:
        """The whole pattern."""
        part = self._sequence()
        if self._next():
            raise self._fault(f"{self._next()!r} is not expected")
        return part

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self._next() not in {"", ")", "|"}:
            parts.append(self._repeated() if self._groups else self._choice())
        if len(parts) == 1:
            return parts[0]
        needs = min((part.needs for part in parts if part.needs), key=len, default=frozenset())
        return Part(partial(_in_turn, tuple(part.node for part in parts)), needs)

    def _choice(self) -> Part:
        choices = [self._repeated()]
        while self._took("|"):
            choices.append(self._repeated())
        return choices[0] if len(choices) == 1 else _one_of(choices)

    def _repeated(self) -> Part:
        part = self._single()
        if self._took("?"):
            return Part(partial(_perhaps, part.node))
        return Part(partial(_again, part.node)) if self._took("*") else part

    def _single(self) -> Part:
        piece = self._next()
        self._at += 1
        if piece == "(":
            return self._group()
        if piece.startswith("{"):
            return self._by_name(piece[1:-1])
        if piece in _SIGNS:
            return Part(_SIGNS[piece])
        if piece in {"", "|", ")", "?", "*"}:
            raise self._fault(f"a word is missing before {piece!r}")
        return Part(partial(_word, piece), frozenset({piece}), piece)

    def _group(self) -> Part:
        self._groups += 1
        choices = [self._sequence()]
        while self._took("|"):
            choices.append(self._sequence())
        self._groups -= 1
        if not self._took(")"):
            raise self._fault("a bracket is not closed")
        return _one_of(choices)

    def _by_name(self, name: str) -> Part:
        if name in self._named:
            return self._named[name].part
        if name in self._classes:
            return Part(partial(_of_class, name), frozenset({f"{{{name}}}"}), f"{{{name}}}")
        raise self._fault(f"there is no class or pattern {name!r}")

    def _next(self) -> str:
        return self._pieces[self._at]

    def _took(self, piece: str) -> bool:
        taken = self._next() == piece
        self._at += taken
        return taken

    def _fault(self, what: str) -> BadPattern:
        return BadPattern(f"The pattern {self._written!r} cannot be read: {what}.")


def _one_of(choices: Sequence[Part]) -> Part:
    needs = [choice.needs for choice in choices]
    words = frozenset(choice.word for choice in choices if choice.word)
    longer = tuple(choice.node for choice in choices if not choice.word)
    node = partial(_any_of, (partial(_any_word, words), *longer) if words else longer)
    return Part(node, frozenset[str]().union(*needs) if all(needs) else frozenset())


def _everywhere(looked: Looked) -> int:
    return (looked.end << 1) - 1


def _word(word: str, looked: Looked, starts: int) -> int:
    return (starts & looked.word(word)) << 1


def _of_class(name: str, looked: Looked, starts: int) -> int:
    ends = (starts & looked.singles(name)) << 1
    for place, words in looked.phrases(name):
        if starts & place:
            ends |= place << words
    return ends


def _any_word(words: frozenset[str], looked: Looked, starts: int) -> int:
    ends = 0
    for word in words & looked.present:
        ends |= (
            (_of_class(word[1:-1], looked, starts))
            if word[0] == "{"
            else _word(word, looked, starts)
        )
    return ends


def _in_turn(parts: tuple[Node, ...], looked: Looked, starts: int) -> int:
    for part in parts:
        if not starts:
            return 0
        starts = part(looked, starts)
    return starts


def _any_of(choices: tuple[Node, ...], looked: Looked, starts: int) -> int:
    ends = 0
    for choice in choices:
        ends |= choice(looked, starts)
    return ends


def _perhaps(node: Node, looked: Looked, starts: int) -> int:
    return starts | node(looked, starts)


def _again(node: Node, looked: Looked, starts: int) -> int:
    reached = new = starts
    while new:
        new = node(looked, new) & ~reached
        reached |= new
    return reached


def _gap(most: int, looked: Looked, starts: int) -> int:
    passable = (looked.end - 1) & ~looked.singles(BARRED)
    reached = starts
    for _ in range(most):
        reached |= (reached & passable) << 1
    return reached


_SIGNS: Final[Mapping[str, Node]] = {
    "^": lambda _, starts: starts & 1,
    "$": lambda looked, starts: starts & looked.end,
    "_": lambda looked, starts: (starts & (looked.end - 1)) << 1,
    "..": partial(_gap, SHORT_GAP),
    "...": partial(_gap, LONG_GAP),
}
