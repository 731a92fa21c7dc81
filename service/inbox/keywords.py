"""Which keyword a text is, if it is nothing else; wider understanding is not asked for here.

A text counts only as a whole. Case, punctuation, quotation marks, emoji and politeness around the
word are passed over ("Stop. Thank you"); any other word beside it makes the text something that a
person has to read ("my legs never stop").
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

MOST_WORDS: Final = 16
"""A longer text is no keyword, however polite."""


class Keyword(StrEnum):
    """What a keyword asks for; the value is what is stored."""

    STOP = "stop"
    """No more texts to this number."""
    STOP_ALL = "stop_all"
    """Nothing more at all, neither texts nor e-mail."""
    START = "start"
    """Texts to this number again."""
    HELP = "help"


TWILIO_WORDS: Final = {
    **dict.fromkeys(("STOP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    "STOPALL": "STOP",
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
"""Twilio's default keywords and its ``OptOutType`` for each
(https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out)."""

_STOPS: Final = (
    *("stop", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"),
    *("arret", "arreter", "alto", "parar"),
)
_EVERYTHING: Final = ("all", "everything", "todo", "tout")
_PHRASES: Final[dict[tuple[str, ...], Keyword]] = {
    **{tuple(word.split()): Keyword.STOP for word in _STOPS},
    **{(*word.split(), every): Keyword.STOP_ALL for word in _STOPS for every in _EVERYTHING},
    ("stopall",): Keyword.STOP_ALL,
    **{(word,): Keyword.START for word in ("start", "unstop")},
    **{(word,): Keyword.HELP for word in ("help", "info", "aide", "ayuda")},
}
_POLITENESS: Final = tuple(
    tuple(phrase.split())
    for phrase in (
        *("please", "pls", "plz", "kindly", "thank you", "thank u", "thanks", "many thanks"),
        *("thank you very much", "thank you so much", "thx", "ty", "hi", "hello", "ok", "okay"),
        *("por favor", "gracias", "muchas gracias", "hola"),
        *("s il vous plait", "s il te plait", "svp", "stp", "merci", "bonjour"),
        *("sent from my iphone", "sent from my ipad"),
    )
)


def keyword(text: str) -> Keyword | None:
    """The keyword that a whole text is, None for everything else.

    A keyword said twice ("STOP STOP") is that keyword; two different ones ("stop, start") are none.
    """
    words = _words(text)
    if not words or len(words) > MOST_WORDS:
        return None
    return _said(_stripped(words))


def provider_word(text: str) -> str:
    """Twilio's own keyword, in capitals, where Twilio would have matched it; else empty.

    Twilio compares the whole body, without regard to case: "Stop please" does not match
    (https://www.twilio.com/docs/api/errors/23002). It then answers by itself, and blocks.
    """
    word = text.strip().upper()
    return word if word in TWILIO_WORDS else ""


def _words(text: str) -> tuple[str, ...]:
    """Lower-case words without accents; all that is neither letter nor digit parts them."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    # Accents and invisible characters (joiners, marks of direction) are dropped, and part nothing.
    kept = (c for c in plain if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    return tuple("".join(c if c.isalnum() else " " for c in kept).split())


def _stripped(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without the politeness before and after them."""
    for phrase in _POLITENESS:
        size = len(phrase)
        if words[:size] == phrase:
            return _stripped(words[size:])
        if words[-size:] == phrase:
            return _stripped(words[:-size])
    return words


def _said(words: tuple[str, ...]) -> Keyword | None:
    """The one keyword that the words say, once or again and again."""
    for size in range(1, len(words) + 1):
        found = _PHRASES.get(words[:size])
        if found is not None and words == words[:size] * (len(words) // size):
            return found
    return None
