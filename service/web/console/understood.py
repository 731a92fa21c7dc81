"""What a reply was taken for and why, in the words of the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.inbox.understanding.likeness import PREFIX, weighed_most
from service.inbox.understanding.plain import plain
from service.store.reply_records import Heard
from service.web.console.access import Visit

MOST_TOLD: Final = 3
"""Of the rules that fired so many are told: each says enough."""
MARKS: Final = ("everything", "wrong_number", "died")
"""What is understood beside the intents, and told behind them."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a reply was taken for, in the reader's words.

    Attributes:
        as_: a phrase for each thing.
        because: a phrase for each rule that said so.
    """

    as_: tuple[str, ...]
    because: tuple[str, ...]


def understood(visit: Visit, heard: Heard, text: str | None = None) -> Understood:
    """What was understood and why, in the reader's words.

    Args:
        visit: the reader's.
        heard: what was understood.
        text: of the message, whose words are quoted where it is like others; None: they are not.
    """
    say = visit.say("understood")
    marks = [word for word in heard.words if word in MARKS]
    told = []
    for word in (*(word for word in heard.words if word not in MARKS), *marks):
        unclear = word == "check_in" and heard.check_in is None
        key = "check_in_unclear" if unclear else word.partition(":")[0]
        told.append(say.get(key, say["other"]).format(rating=heard.check_in))
    because = dict.fromkeys(_because(visit, rule, text or "") for rule in heard.rules)
    more = ("…",) if len(because) > MOST_TOLD else ()
    return Understood(tuple(told), (*list(because)[:MOST_TOLD], *more))


def _because(visit: Visit, rule: str, text: str) -> str:
    say = visit.say("rules")
    if not rule.startswith(PREFIX):
        return say.get(rule, rule)
    most = weighed_most(rule.removeprefix(PREFIX), plain(text)) if text else ()
    quoted = ", ".join(f"“{words}”" for words in most)
    return f"{say['likeness']}: {quoted}" if quoted else say["likeness"]
