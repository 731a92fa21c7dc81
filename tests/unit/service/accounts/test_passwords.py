from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from service.accounts.passwords import LONGEST, SHORTEST, Passwords, require_good
from service.errors import InvalidInput
from tests.support.accounts import CHEAP, GOOD

OWN = ("Ana López", "ana.lopez@riverside.example")


def refused(password: str) -> str | None:
    try:
        require_good(password, OWN)
    except InvalidInput as error:
        return error.code
    return None


@pytest.mark.parametrize(
    "password",
    [
        *(GOOD, "cuatro gatos sobre la niebla", "t7#Kq9!vLm2@", "лошадь скрепка луна"),
        " ".join(f"{n * n * 7919:x}" for n in range(30)),
    ],
)
def test_length_is_what_counts_and_any_character_is_taken(password: str) -> None:
    assert refused(password) is None


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Password1234!", "qwertyuiop12", "123456789012", "iloveyou1234"),
        *("aftervisit2026", "AnaLopez2026!!", "ana.lopez@riverside.example", "lopezlopezlopez"),
        *("aaaaaaaaaaaa", "abcabcabcabc", "letmeinletmein"),
    ],
)
def test_what_is_soon_guessed_is_refused(password: str) -> None:
    assert refused(password) == "password_guessable"


def test_a_refusal_repeats_nothing_of_the_password() -> None:
    with pytest.raises(InvalidInput) as raised:
        require_good("AnaLopez2026!!", OWN)
    assert raised.value.field == "password"
    assert "AnaLopez" not in str(raised.value)


def test_one_that_is_too_short_or_too_long_is_refused_for_that() -> None:
    assert refused("t7#Kq9!vLm2") == "password_short"
    assert refused("t7#Kq9!vLm2@" * 30) == "password_long"


@given(st.text(max_size=LONGEST + 20))
@settings(max_examples=60)
def test_any_text_is_either_good_or_refused_with_a_reason(password: str) -> None:
    reasons = {None, "password_short", "password_long", "password_guessable"}
    assert refused(password) in reasons
    if len(password) < SHORTEST // 4:
        assert refused(password) == "password_short"


def test_the_right_password_is_right_and_another_is_not() -> None:
    passwords = Passwords(CHEAP)
    stored = passwords.hash(GOOD)
    assert stored.startswith("$argon2id$")
    assert passwords.is_right(stored, GOOD)
    assert not passwords.is_right(stored, GOOD + " ")
    assert not passwords.is_right(stored, GOOD.upper())
    assert passwords.hash(GOOD) != stored


def test_an_accent_is_the_same_however_the_keyboard_composes_it() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.is_right(passwords.hash("cami\u00f3n verde lejano"), "camin\u0303on") is False
    stored = passwords.hash("cami\u00f3n verde lejano")
    assert passwords.is_right(stored, "camio\u0301n verde lejano")


@pytest.mark.parametrize("typed", ["", GOOD, "x" * (LONGEST + 1), "x" * 1_000_000])
def test_a_stranger_costs_as_much_as_a_member_and_is_never_right(typed: str) -> None:
    counted = Counted()
    passwords = Passwords(counted)
    passwords.is_right(None, GOOD)  # makes nobody's hash
    stored = passwords.hash(GOOD)
    counted.verified = 0
    assert not passwords.is_right(None, typed)
    assert counted.verified == 1
    assert passwords.is_right(stored, typed) == (typed == GOOD)
    assert counted.verified == 2


def test_a_hash_that_cannot_be_read_lets_nobody_in() -> None:
    assert not Passwords(CHEAP).is_right("no hash", GOOD)


def test_a_hash_of_other_parameters_is_dated() -> None:
    stored = Passwords(CHEAP).hash(GOOD)
    assert not Passwords(CHEAP).is_dated(stored)
    assert Passwords().is_dated(stored)


def test_hashes_take_the_parameters_of_rfc_9106() -> None:
    assert "$m=65536,t=3,p=4$" in Passwords().hash(GOOD)


class Counted(PasswordHasher):
    """Counts how often it works."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        self.verified += 1
        return super().verify(hash, password)
