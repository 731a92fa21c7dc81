"""The rules of the rule files: when one fires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from service.inbox.understanding.alternatives import Patterns
from service.inbox.understanding.patterns import BadPattern, Pattern, read_pattern
from service.inbox.understanding.rulefiles import lexicon, rule_file
from service.inbox.understanding.words import OF_PLACE, Words

Within = Literal["sentence", "part", "opening", "text"]
LASTING: Final = "lasting"
"""The mark of a sign that is not over because somebody says so."""
DENIAL: Final = "negated"
"""The guard that holds where the wish itself is denied; others, where it is about other things."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps a rule from firing, by the name that its file gives it."""

    name: str
    patterns: Patterns

    def holds(self, looked: Words) -> bool:
        """Whether it is there."""
        return self.patterns.found(looked)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: file and name, such as ``opt_out.keyword``.
        intent: what a text means of which it fires; empty where the caller knows.
        says: patterns, any of which is enough.
        unless: guards that must not hold for the same words.
        unless_text: guards that must not hold for the whole text.
        within: what the patterns are matched against.
        marks: what else the rule says of the text (`_MARKS`).
    """

    name: str
    intent: str
    says: Patterns
    unless: tuple[Guard, ...] = ()
    unless_text: tuple[Guard, ...] = ()
    within: Within = "sentence"
    marks: frozenset[str] = frozenset()

    def fires(self, looked: Words, text: Words) -> bool:
        """Whether the words say it, and nothing takes it back."""
        return (
            self.says.found(looked)
            and not any(guard.holds(looked) for guard in self.unless)
            and not any(guard.holds(text) for guard in self.unless_text)
        )

    def is_turned_round(self, looked: Words) -> bool:
        """Whether the words say it and deny it (``don't stop``)."""
        denials = [guard for guard in self.unless if guard.name == DENIAL]
        return any(guard.holds(looked) for guard in denials) and self.says.found(looked)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules of one file, and the lists of patterns that stand beside them."""

    rules: tuple[Rule, ...]
    lists: Mapping[str, Patterns]


_NOTHING: Final = Words((), {})
_MARKS: Final = ("everything", "died", "wrong_number", "ambiguous", LASTING)


@cache
def rules_of(file: str, intent: str = "") -> RuleFile:
    """The rules of a file.

    Args:
        file: its name without ending.
        intent: what its rules mean where they do not say.

    Raises:
        BadPattern: a pattern cannot be read.
        KeyError: a rule names a guard that there is not.
    """
    read = rule_file(file)
    reader = _Reader(read.get("patterns", {}))
    guards = {name: Guard(name, reader.all(says)) for name, says in read.get("guards", {}).items()}
    rules = tuple(
        Rule(
            name=f"{file}.{name}",
            intent=rule.get("intent", intent),
            says=reader.all(rule["says"]),
            unless=tuple(guards[guard] for guard in rule.get("unless", ())),
            unless_text=tuple(guards[guard] for guard in rule.get("unless_text", ())),
            within=rule.get("within", "sentence"),
            marks=frozenset(mark for mark in _MARKS if rule.get(mark)),
        )
        for name, rule in read["rules"].items()
    )
    lists = {name: reader.all(table["says"]) for name, table in read.items() if "says" in table}
    return RuleFile(rules, lists)


class _Reader:
    def __init__(self, named: Mapping[str, str]) -> None:
        self._classes = lexicon().names | OF_PLACE
        self._named: dict[str, Pattern] = {}
        for name, written in named.items():
            self._named[name] = self._pattern(written)

    def all(self, written: Iterable[str]) -> Patterns:
        patterns = tuple(self._pattern(each) for each in written)
        for pattern in patterns:
            if pattern.found(_NOTHING):
                raise BadPattern(f"The pattern {pattern.written!r} matches where nothing is said.")
        return Patterns.of(patterns)

    def _pattern(self, written: str) -> Pattern:
        return read_pattern(written, self._classes, self._named)
