"""Texts and what a reasonable reader takes them to mean."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.inbox.understanding import Intent

UNDERSTANDING = Path(__file__).parents[1] / "unit/service/inbox/understanding"
OURS = "ours"
"""The author of what stands in the corpus only."""


@dataclass(frozen=True)
class Labelled:
    text: str
    intents: tuple[Intent, ...]
    check_in: int | None
    author: str = OURS


def corpus() -> Iterator[Labelled]:
    """What the rules are held to: not one may be wrong."""
    for file in sorted(UNDERSTANDING.glob("corpus*.toml")):
        for group in tomllib.loads(file.read_text("utf-8"))["texts"]:
            intents = tuple(Intent(intent) for intent in group["means"])
            for text in group["says"]:
                yield Labelled(text, intents, group.get("answer"))


def measured() -> Iterator[Labelled]:
    """Texts by other authors, which nobody who wrote rules had read when they were measured."""
    for line in (UNDERSTANDING / "measured.jsonl").read_text("utf-8").splitlines():
        read = json.loads(line)
        intents = tuple(Intent(intent) for intent in read["intents"])
        yield Labelled(read["text"], intents, read["check_in"], read["author"])
