"""How people type: the rules of ``spelling.toml``, and errors that no list has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from service.inbox.understanding.rulefiles import known_words, lexicon, real_words, rule_file

FEWEST_LETTERS: Final = 4
"""A shorter word is one letter away from too many others."""
_SPELLED_OUT: Final = (
    *(
        "stop",
        "stopp",
        "stopall",
        "quit",
        "end",
        "cancel",
        "unsubscribe",
        "revoke",
        "help",
        "start",
    ),
    *("optout", "alto", "parar", "arret", "ayuda", "baja", "info", "yes"),
)
"""Keywords that people space out."""
_SPLIT: Final = ("stop", "quit", "cancel", "unsubscribe", "resubscribe", "unenroll")
"""Keywords that a space or a hyphen falls into; and what is meant first where several may be."""
_LONG: Final = 8
"""A keyword so long may have fallen into more than two pieces (``UN SUB SCRIBE``)."""
_HEARD: Final = re.compile(
    r"\b(won|to|too|tree|for|fore|fife|sicks|sex|ate|nein|nigh|tin)"
    r"(?= (?:out of|outta) (?:10|ten)\b)",
    re.IGNORECASE,
)
_MEANT: Final = {
    **dict.fromkeys(("to", "too"), "2"),
    **dict.fromkeys(("for", "fore"), "4"),
    **dict.fromkeys(("sicks", "sex"), "6"),
    **dict.fromkeys(("nein", "nigh"), "9"),
    **dict(zip(("won", "tree", "fife", "ate", "tin"), ("1", "3", "5", "8", "10"), strict=True)),
}
"""What dictation hears for a number before "out of ten"."""
_SIGNS: Final = {
    "comma": ",",
    **dict.fromkeys(("exclamation point", "exclamation mark"), "!"),
    "question mark": "?",
    **dict.fromkeys(("period", "new line", "punto"), "."),
}
_DICTATED: Final = re.compile(
    r"(?P<kept>\b(?:an?|the|my|her|your|this|that|of|in|each|every|any|long|short|last|next|first|same|time|late|heavy"
    r"|whole|trial|rest|grace|waiting|menstrual|no|el|un|al|este|ese|mi|cada|cierto|buen) )?"
    rf"\b(?P<sign>{'|'.join(_SIGNS)})\b(?! (?:of|pains?|cramps?|came|started|blood|de|en)\b)",
    re.IGNORECASE,
)
"""Signs that were said and written as words; "my period" is none."""
_SLIPS: Final = (
    (
        re.compile(
            r"^(\W*(?:please |pls |plz )?)stoop(?=\W*(?:$|(?:please|now|it|me|text|send|these|all"
            r"|messag|the (?:text|mess))\w*))",
            re.IGNORECASE,
        ),
        r"\1stop",
    ),
    (re.compile(r"\b[df]o (?:nit|mot|nto|nott|noy)\b(?= \w)", re.IGNORECASE), "do not"),
    (re.compile(r"\bwring (?=nu?mb|pers)", re.IGNORECASE), "wrong "),
    (re.compile(r"\bstop ?2 ?(?=end|quit|cancel)", re.IGNORECASE), "stop to "),
    (re.compile(r"\bno ?(?:moe|mre|mor)\b", re.IGNORECASE), "no more"),
    (
        re.compile(r"\bdo(?:n'?t| not) (?:test|tax|taxt|tex) (?=me\b)", re.IGNORECASE),
        "do not text ",
    ),
    (re.compile(r"(?<!is )(?<!too )(?<!a )\bfull stop(?=\W*$)", re.IGNORECASE), "."),
)
"""Slips that are other words by themselves, where what stands beside them tells what was meant."""
_SAME_SOUND: Final = tuple(
    (re.compile(letters), heard)
    for letters, heard in (
        *(("ch", "1"), ("h", ""), ("qu(?=[ei])|q", "k"), ("c(?=[ei])|z|x", "s"), ("c", "k")),
        *(("v|w", "b"), ("ll|i(?=[aeou])", "y"), ("g(?=[ei])", "j"), ("gu(?=[ei])", "g")),
        (r"(.)\1+", r"\1"),
    )
)
"""Letters that many write for one another, in Spanish, and one sign for each of their sounds."""
_OVER_TEN: Final = re.compile(
    r"\b(\d|10|zero|one|two|three|four|five|six|seven|eight|nine|ten|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho"
    r"|nueve|diez) ?/ ?(?:10|ten|diez)\b(?!/)",
    re.IGNORECASE,
)
_OUT: Final = re.compile(
    r"\bopt(?:[ -]me)?[ -](?:oit|iut|uot|ou|ouy|oout|outt|oyt|our|put)\b", re.IGNORECASE
)
"""What thumbs make of ``opt out``; too short to be put right as words are."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """The rules of spelling.

    Attributes:
        emoji: what an emoji says.
        lookalikes: letters of other alphabets, to the Latin ones they look like.
        signature: what a phone adds by itself.
        reaction: a quotation that a phone sends for a tap on a message.
        split: a keyword that a space fell into.
        spelled_out: the keywords that people space out.
        written: what is typed, and the words it stands for.
        known: words that are right as they are.
        targets: words that are put right where one letter is wrong, by their length.
        parts: words that run together.
        sounds: Spanish words by how they sound (`sound`).
    """

    emoji: Mapping[int, str]
    lookalikes: Mapping[int, int]
    signature: re.Pattern[str]
    reaction: re.Pattern[str]
    split: re.Pattern[str]
    spelled_out: frozenset[str]
    written: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    targets: Mapping[int, tuple[str, ...]]
    parts: frozenset[str]
    sounds: Mapping[str, str]

    def spoken(self, text: str) -> str:
        """The text with emoji that say a word in words."""
        return text.translate(self.emoji)

    def without_signature(self, text: str) -> str:
        """The text without what a phone or a mail program added."""
        return self.signature.sub(" . ", text)

    def is_reaction(self, text: str) -> bool:
        """Whether the text is a phone's report of a tap on a message, which it quotes."""
        return self.reaction.match(text) is not None

    def mended(self, text: str) -> str:
        """The text with split keywords together (``sto p``) and misheard numbers right."""
        for slip, meant in _SLIPS:
            text = slip.sub(meant, text)
        text = _OVER_TEN.sub(r"\1 out of 10", text)
        whole = self.split.sub(lambda found: re.sub("[ .-]", "", found[0]), text)
        heard = _HEARD.sub(lambda found: _MEANT[found[0].lower()], _OUT.sub("opt out", whole))
        return _DICTATED.sub(_dictated, heard)

    def corrected(self, word: str) -> tuple[str, ...]:
        """The word meant: one that sounds the same in Spanish, or that is one error apart."""
        if len(word) < FEWEST_LETTERS or not word.isalpha():
            return ()
        heard = self.sounds.get(sound(word)) if len(word) > FEWEST_LETTERS else None
        if heard:
            return (heard,)
        for length in (len(word), len(word) + 1, len(word) - 1):
            for target in self.targets.get(length, ()):
                if one_error_apart(word, target):
                    return self.written.get(target, (target,))
        return ()

    def parted(self, word: str) -> tuple[str, ...]:
        """The words that run together in one; none where it is not made of them."""
        best: dict[int, tuple[str, ...]] = {0: ()}
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 12), end):
                if start in best and word[start:end] in self.parts:
                    best[end] = (*best[start], word[start:end])
                    break
        found = best.get(len(word), ())
        return tuple(one for part in found for one in self.written.get(part, (part,)))


def _dictated(found: re.Match[str]) -> str:
    return found[0] if found["kept"] else _SIGNS[found["sign"].lower()]


def one_error_apart(typed: str, meant: str) -> bool:
    """Whether one letter was left out, added, mistaken, or changed places with the next."""
    if typed == meant or abs(len(typed) - len(meant)) > 1:
        return False
    at = 0
    while at < min(len(typed), len(meant)) and typed[at] == meant[at]:
        at += 1
    typed, meant = typed[at:], meant[at:]
    return (
        typed[1:] == meant[1:]
        or typed[1:] == meant
        or typed == meant[1:]
        or (typed[:2] == meant[1::-1] and typed[2:] == meant[2:])
    )


@cache
def spelling() -> Spelling:
    """The packaged rules."""
    read = rule_file("spelling")
    written = {
        typed: tuple(meant.split())
        for meant, variants in read["written"].items()
        for typed in variants.split()
    }
    looks = read["lookalikes"]
    corrected = _targets(read["corrected"])
    return Spelling(
        emoji=_emoji(read["emoji"]),
        lookalikes=str.maketrans(looks["letters"], looks["as"]),
        signature=_lines_that_begin(read["signatures"]["begin"]),
        reaction=_reaction(read["reactions"]["begin"]),
        split=_split(_SPLIT),
        spelled_out=frozenset(_SPELLED_OUT),
        written=written,
        known=known_words() | real_words(),
        targets={
            length: tuple(word for word in corrected if len(word) == length)
            for length in set(map(len, corrected))
        },
        parts=frozenset(read["together"]["parts"].split()),
        sounds=_sounds(),
    )


def sound(word: str) -> str:
    """How a Spanish word sounds, with one sign for each sound (``kitenme``, ``quitenme``)."""
    for letters, heard in _SAME_SOUND:
        word = letters.sub(heard, word)
    return word


def _sounds() -> dict[str, str]:
    words = {
        word
        for entries in rule_file("words_es").values()
        for word in re.findall(r"(?<!\S)[a-z]+(?!\S)", entries)
        if len(word) > FEWEST_LETTERS
    }
    return {sound(word): word for word in sorted(words)}


def _targets(corrected: Mapping[str, str]) -> list[str]:
    known = lexicon()
    wanted = set(corrected["classes"].split())
    words = {word for word, names in known.of_word.items() if names & wanted}
    words.update(corrected["words"].split())
    long = (word for word in words if len(word) >= FEWEST_LETTERS and word.isalpha())
    return sorted(long, key=lambda word: (word not in _SPLIT, word))


def _emoji(said: Mapping[str, Any]) -> dict[int, str]:
    return {ord(sign): f" {word} " for word, signs in said.items() for sign in signs.split()}


def _lines_that_begin(begins: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(begins)})[^\n]*", re.IGNORECASE)


def _reaction(begins: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{'|'.join(begins)})\s*[\"“”«]", re.IGNORECASE)


def _split(words: Sequence[str]) -> re.Pattern[str]:
    halves = [f"{word[:at]}[ .-]{word[at:]}" for word in words for at in range(1, len(word))]
    halves += ["[ -]?".join(word) for word in words if len(word) >= _LONG]
    return re.compile(rf"\b(?:{'|'.join(halves)})\b", re.IGNORECASE)
