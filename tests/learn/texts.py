"""What there is to learn from: every labelled text of the repository, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from service.inbox.understanding import Intent, Understanding, understand_by_rules
from service.inbox.understanding.intents import denies_leaving
from service.inbox.understanding.likeness import can_be_weighed, pieces_of
from service.inbox.understanding.plain import plain
from tests.learn.linear import Example
from tests.support.labelled import OURS, Labelled, corpus, measured


@dataclass(frozen=True)
class Text:
    """One text of the repository.

    Attributes:
        pieces: what it is made of.
        intents: what it means.
        authors: who wrote it; common ones several did.
        weighed: whether it is long enough to be.
        denies: whether it says that somebody does not want to leave.
        ruled: what the rules by themselves make of it.
    """

    pieces: frozenset[str]
    intents: tuple[Intent, ...]
    authors: frozenset[str]
    weighed: bool
    denies: bool
    ruled: Understanding


def labelled() -> dict[str, tuple[Labelled, frozenset[str]]]:
    """Every text once, as the last that has it labels it, with its authors."""
    found: dict[str, tuple[Labelled, frozenset[str]]] = {}
    for each in (*corpus(), *measured()):
        _, authors = found.get(each.text, (each, frozenset()))
        found[each.text] = each, authors | {each.author}
    return {text: (each, authors - {OURS} or authors) for text, (each, authors) in found.items()}


def texts() -> list[Text]:
    """All labelled texts, in order."""
    return [_text(each, authors) for _, (each, authors) in sorted(labelled().items())]


def _text(each: Labelled, authors: frozenset[str]) -> Text:
    sentences = plain(each.text)
    return Text(
        pieces_of(sentences),
        each.intents,
        authors,
        can_be_weighed(sentences),
        denies_leaving(sentences),
        understand_by_rules(each.text),
    )


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
