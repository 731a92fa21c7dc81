"""The rules of safety.toml, read and checked."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from messages.template import BLOCKS

_RULES: Final = Path(__file__).parent / "safety.toml"


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths of the short forms; `review_months` is how long a review holds."""

    segments: int
    subject_characters: int
    review_months: int


@dataclass(frozen=True, slots=True)
class PlainLimits:
    """What counts as plain in one language; None where the grade of a strand is enough.

    See `messages.plain` for grade and ease.
    """

    words_per_sentence: int
    average_sentence: float
    letters: int
    long_word_share: float
    strand_grade: float
    strand_ease: float | None = None


@dataclass(frozen=True, slots=True)
class MustSay:
    """Something that the blocks of a strand or topic (or of every message) have to say."""

    rule: str
    detail: str
    blocks: tuple[str, ...]
    strand: str
    topic: str
    variables: frozenset[str]
    any_variable: frozenset[str]
    patterns: Mapping[str, tuple[re.Pattern[str], ...]]

    def covers(self, strand: str, topic: str) -> bool:
        """Say whether a message of this strand and topic falls under the rule."""
        return self.strand in {"", strand} and self.topic in {"", topic}


@dataclass(frozen=True, slots=True)
class MustNotSay:
    """Something no sentence of the blocks may say, `unless` the sentence takes it back."""

    rule: str
    detail: str
    blocks: tuple[str, ...]
    languages: frozenset[str]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    literal: bool

    def found(self, sentence: str) -> str:
        """Return the words of the sentence that break the rule, or nothing."""
        found = self.pattern.search(sentence)
        if not found or (self.unless and self.unless.search(sentence)):
            return ""
        return found[0]


@dataclass(frozen=True, slots=True)
class Required:
    """What a strand has to hold: so many messages, and these topics."""

    minimum: int
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SafetyRules:
    """All of safety.toml."""

    languages: tuple[str, ...]
    limits: Limits
    plain: Mapping[str, PlainLimits]
    shared_words: int
    shared_allowed: tuple[str, ...]
    required: Mapping[str, Required]
    must_say: tuple[MustSay, ...]
    must_not_say: tuple[MustNotSay, ...]


@cache
def safety_rules() -> SafetyRules:
    """Return the packaged rules; an unknown key in the file is a TypeError, not overlooked."""
    read: dict[str, Any] = tomllib.loads(_RULES.read_text("utf-8"))
    return SafetyRules(
        languages=tuple(read["languages"]),
        limits=Limits(**read["limits"]),
        plain={language: PlainLimits(**limits) for language, limits in read["plain"].items()},
        shared_words=read["shared"]["words"],
        shared_allowed=tuple(read["shared"]["allowed"]),
        required={
            strand: Required(entry["minimum"], tuple(entry["topics"]))
            for strand, entry in read["required"].items()
        },
        must_say=tuple(_must_say(**entry) for entry in read["must_say"]),
        must_not_say=tuple(_must_not_say(**entry) for entry in read["must_not_say"]),
    )


def _must_say(
    *,
    rule: str,
    detail: str,
    blocks: list[str],
    strand: str = "",
    topic: str = "",
    variables: tuple[str, ...] = (),
    any_variable: tuple[str, ...] = (),
    patterns: Mapping[str, list[str]] | None = None,
) -> MustSay:
    return MustSay(
        rule=rule,
        detail=detail,
        blocks=tuple(blocks),
        strand=strand,
        topic=topic,
        variables=frozenset(variables),
        any_variable=frozenset(any_variable),
        patterns={
            language: tuple(re.compile(pattern) for pattern in found)
            for language, found in (patterns or {}).items()
        },
    )


def _must_not_say(
    *,
    rule: str,
    detail: str,
    pattern: str,
    unless: str = "",
    blocks: tuple[str, ...] = BLOCKS,
    languages: tuple[str, ...] = (),
    literal: bool = False,
) -> MustNotSay:
    return MustNotSay(
        rule=rule,
        detail=detail,
        blocks=tuple(blocks),
        languages=frozenset(languages),
        pattern=re.compile(pattern, re.IGNORECASE),
        unless=re.compile(unless, re.IGNORECASE) if unless else None,
        literal=literal,
    )
