"""Passwords of staff: which are good enough, and their hashes (argon2id).

Rules of OWASP ASVS 5.0, 6.2 and NIST SP 800-63B: length counts, kinds of characters do not; any
character is taken, spaces too; what is easily guessed is refused with the reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import InvalidInput

SHORTEST: Final = 12
LONGEST: Final = 256
"""Characters."""
GOOD_SCORE: Final = 3
"""Of zxcvbn's 0 to 4: 10**8 guesses at least, which a locked sign-in never allows."""
_READ: Final = 32
"""Characters that zxcvbn looks at. One that is good needs no more; of seventy that are made for it,
its rules for letters in disguise take ten seconds."""
_OWN: Final = ("aftervisit", "clinic", "password", "contraseña")
_WORD: Final = re.compile(r"\w{3,}")


class Passwords:
    """Hashes and checks them. Each call takes a tenth of a second on purpose: keep it off loops.

    Args:
        hasher: its parameters are those that hashes are to have (RFC 9106, "low memory").
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def _nobodys(self) -> str:
        """The hash of a password that nobody has, so that a stranger costs as much as a member."""
        return self._hasher.hash("")

    def hash(self, password: str) -> str:
        """The hash of a password, with its own salt and its parameters in it."""
        return self._hasher.hash(_normal(password))

    def is_right(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed; as much work where there is no hash.

        Args:
            stored: from ``hash``, None where there is no such member.
            password: as typed. No password is empty, or longer than ``LONGEST``.
        """
        nobodys = self._nobodys  # made by the first who asks, whoever that is
        usable = bool(stored) and 0 < len(password) <= LONGEST
        try:
            self._hasher.verify(
                stored if usable and stored else nobodys, _normal(password[:LONGEST]) or " "
            )
        except (VerificationError, InvalidHashError):
            return False
        return usable

    def is_dated(self, stored: str) -> bool:
        """Whether a hash has other parameters than new ones get: hash the password anew."""
        return self._hasher.check_needs_rehash(stored)


def require_good(password: str, own: Iterable[str], *, field: str = "password") -> None:
    """Refuse a new password that is too short, too long, or soon guessed.

    Args:
        password: as typed.
        own: the member's name and address: who guesses starts with these.
        field: of the form, for the error.

    Raises:
        InvalidInput: ``password_short``, ``password_long`` or ``password_guessable``.
    """
    length = len(_normal(password))
    if length < SHORTEST:
        raise InvalidInput(
            field, "password_short", f"Choose a password of {SHORTEST} characters or more."
        )
    if length > LONGEST:
        raise InvalidInput(
            field, "password_long", f"Choose a password of {LONGEST} characters at most."
        )
    words = sorted({word for text in own for word in _words(text)} | set(_OWN), key=len)
    known = re.compile("|".join(re.escape(word) for word in reversed(words)))
    lowered = _normal(password).casefold()
    # What is left without one's own words has to be hard to guess as well: "AnaLopez2026!!" is not.
    if any(_score(text, words) < GOOD_SCORE for text in {lowered, known.sub("", lowered)}):
        raise InvalidInput(
            field,
            "password_guessable",
            "This password is soon guessed. Choose four or five words that have nothing to do "
            "with each other, or with you.",
        )


def _score(text: str, words: list[str]) -> int:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists of words take a tenth of a second to load

    return int(zxcvbn(text[:_READ], user_inputs=words)["score"]) if text else 0


def _words(text: str) -> list[str]:
    return _WORD.findall(_normal(text).casefold().replace("_", " "))


def _normal(password: str) -> str:
    # One password, whichever keyboard composes its accents (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)
