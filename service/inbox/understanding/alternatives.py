"""Patterns side by side: which of them a text can match is known by its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.inbox.understanding.patterns import Looked, Pattern


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of which any may match; only those are tried of which a needed word is there.

    Attributes:
        each: the patterns, in order.
        needing: by word or ``{class}``, the places of the patterns that need it.
        known: the same words.
        always: the places of the patterns that need none.
    """

    each: tuple[Pattern, ...]
    needing: Mapping[str, tuple[int, ...]]
    known: frozenset[str]
    always: tuple[int, ...]

    @classmethod
    def of(cls, each: Iterable[Pattern]) -> Patterns:
        """These patterns."""
        patterns = tuple(each)
        needing: dict[str, tuple[int, ...]] = {}
        for at, pattern in enumerate(patterns):
            for word in pattern.part.needs:
                needing[word] = (*needing.get(word, ()), at)
        always = tuple(at for at, pattern in enumerate(patterns) if not pattern.part.needs)
        return cls(patterns, needing, frozenset(needing), always)

    def found(self, looked: Looked) -> bool:
        """Whether any matches anywhere."""
        places = (looked.end << 1) - 1
        return any(pattern.part.node(looked, places) for pattern in self._likely(looked))

    def spans(self, looked: Looked) -> list[tuple[int, int]]:
        """Where matches of any begin, each with the end of its shortest."""
        return [span for pattern in self._likely(looked) for span in pattern.spans(looked)]

    def _likely(self, looked: Looked) -> list[Pattern]:
        there = self.known & looked.present
        if not there:
            return [self.each[at] for at in self.always]
        places = {at for word in there for at in self.needing[word]}
        return [self.each[at] for at in sorted(places.union(self.always))]
