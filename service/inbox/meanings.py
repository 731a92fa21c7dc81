"""What a message may mean, as staff choose it when they put right what was understood."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from service.errors import InvalidInput
from service.inbox.keywords import TWILIO_WORDS
from service.store.reply_records import Heard, Reply

CHOICES: Final = (
    *("urgent", "opt_out", "everything", "wrong_number", "died"),
    *("opt_in", "check_in", "help", "other"),
)
"""The words to choose from, in the order in which they are kept; several may be meant at once."""
HIGHEST: Final = 10
_LEAVING: Final = frozenset({"everything", "wrong_number", "died"})
"""Each of these is a wish, or a reason, to leave as well."""
LONGEST_WHY: Final = 500


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message means.

    Attributes:
        words: some of ``CHOICES``.
        rating: 0 to 10 where it answers a check-in, else None.
    """

    words: tuple[str, ...]
    rating: int | None = None

    @classmethod
    def read(cls, words: Collection[str], rating: str = "") -> Meaning:
        """From a form.

        Raises:
            InvalidInput: the words are none, unknown, or cannot be meant at once; or the rating is
                no whole number from 0 to 10.
        """
        chosen = {word for word in words if word}
        if chosen - set(CHOICES):
            raise InvalidInput("meaning", "meaning_unknown", "Choose from what is offered.")
        if chosen & _LEAVING:
            chosen.add("opt_out")
        if not chosen or ("other" in chosen and chosen != {"other"}):
            raise InvalidInput(
                "meaning",
                "meaning_bad",
                "Say what it means; nothing else goes with something for a person to read.",
            )
        if {"opt_out", "opt_in"} <= chosen:
            raise InvalidInput(
                "meaning", "meaning_both", "A message means to leave or to come back, not both."
            )
        return cls(
            tuple(word for word in CHOICES if word in chosen),
            _rating(rating) if "check_in" in chosen else None,
        )

    @classmethod
    def of(cls, heard: Heard) -> Meaning:
        """The same of what was understood; words that nothing follows from are left out."""
        words = tuple(word for word in CHOICES if heard.says(word)) or ("other",)
        return cls(words, heard.check_in if heard.says("check_in") else None)

    @property
    def heard(self) -> Heard:
        """As it is recorded."""
        return Heard(self.words, self.rating, ("staff",))


def _rating(text: str) -> int:
    number = text.strip()
    if not (number.isascii() and number.isdecimal() and int(number) <= HIGHEST):
        raise InvalidInput("rating", "rating_bad", "Give the rating as a whole number, 0 to 10.")
    return int(number)


def require_allowed(reply: Reply, meaning: Meaning, why: str) -> None:
    """Hold a correction to the rules, before anything is recorded.

    Raises:
        InvalidInput: the provider has acted on the very word, or it is not said why somebody did
            not mean to leave.
    """
    if len(why) > LONGEST_WHY:
        raise InvalidInput("why", "why_long", f"Say it in up to {LONGEST_WHY} letters.")
    if "opt_out" in meaning.words or not reply.meant.says("opt_out"):
        return
    if reply.opt_out_type == "STOP" or TWILIO_WORDS.get(reply.word) == "STOP":
        # A per-se word (47 CFR 64.1200(a)(10)), on which the provider blocks by itself.
        raise InvalidInput(
            "meaning",
            "keyword_stands",
            "This is a word on which the provider itself stops texts. Only a START from the phone "
            "takes it back.",
        )
    if not why.strip():
        raise InvalidInput(
            "why", "why_missing", "Say how you know that they did not mean to leave."
        )
