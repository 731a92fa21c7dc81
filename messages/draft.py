"""What a person has written for one patient, held to the rules that the library is held to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from messages.plain import sentences
from messages.safety import safety_rules

_STRAIGHT: Final = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


@dataclass(frozen=True, slots=True)
class Warned:
    """A rule that what was written breaks; the person decides, since they know the patient.

    Attributes:
        rule: its short name in safety.toml, stable.
        found: the words that break it.
    """

    rule: str
    found: str


def warnings_of(text: str, block: Literal["sms", "email"]) -> tuple[Warned, ...]:
    """The rules that a text or the body of an e-mail breaks, each once.

    The rules of every language count: people write as they speak. Numbers are theirs to give.
    """
    found: dict[str, Warned] = {}
    for warned in _found(text.translate(_STRAIGHT), block):
        found.setdefault(warned.rule, warned)
    return tuple(found.values())


def _found(text: str, block: str) -> Iterator[Warned]:
    for must_not in safety_rules().must_not_say:
        if block not in must_not.blocks or must_not.literal:
            continue
        for sentence in sentences(text):
            if words := must_not.found(sentence):
                yield Warned(must_not.rule, words)
