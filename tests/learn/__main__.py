"""Learns what texts are like that mean something, from all labelled texts of the repository.

    python -m tests.learn

Writes ``service/inbox/understanding/learned``; to stdout, how rules alone and rules with what was
learnt do on each author's texts, where it was learnt from those of all others. That is also how the
score is chosen at which a text is taken for one of them.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict

from service.inbox.understanding import Intent
from service.inbox.understanding.likeness import LEARNED
from tests.learn.judging import FALSE, Figures, figures, judged, least_score
from tests.learn.linear import Learned, learn
from tests.learn.texts import digest, examples, texts


def write(intent: Intent, learned: Learned, least: float, counted: Mapping[str, Figures]) -> None:
    """The file of an intent."""
    head = {
        "step": learned.step,
        "bias": learned.bias,
        "least": least,
        "texts": digest(intent),
        "figures": {author: asdict(each) for author, each in counted.items()},
    }
    grouped: dict[int, list[str]] = defaultdict(list)
    for piece, weight in sorted(learned.weights.items()):
        grouped[weight].append(piece)
    lines = ["\t".join((str(weight), *grouped[weight])) for weight in sorted(grouped, reverse=True)]
    LEARNED.mkdir(exist_ok=True)
    (LEARNED / f"{intent}.tsv").write_text("\n".join([json.dumps(head), *lines, ""]), "utf-8")


def main() -> None:
    """Learn, tell how it did on authors held out, and write."""
    known = texts()
    for intent in FALSE:
        found = list(judged(known, intent))
        least = least_score(found, intent)
        counted = figures(found, intent, least)
        for author, each in counted.items():
            sys.stdout.write(f"{intent} {author:7} {asdict(each)}\n")
        learned = learn(examples(known, intent))
        sys.stdout.write(f"{intent}: at {least}, {len(learned.weights)} pieces\n")
        write(intent, learned, least, counted)


if __name__ == "__main__":
    main()
