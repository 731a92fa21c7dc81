"""A whole name, however it is typed, is one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.names import normalised_name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Ana", "ana"),
        ("  ANA   María ", "ana maria"),
        ("Jose\u0301", "jose"),
        ("O'Neil", "oneil"),
        ("O\u2019Neil", "oneil"),
        ("Jean-Luc", "jean luc"),
        ("J.R.", "j r"),
        ("Søren", "soren"),
        ("Łukasz", "lukasz"),
        ("Weiß", "weiss"),
        ("Nguyễn", "nguyen"),
        ("Ю́лия", "юлия"),
        ("李娜", "李娜"),
        ("...", "..."),
    ],
)
def test_a_name_is_folded(typed: str, found: str) -> None:
    assert normalised_name(typed) == found


@given(st.text(max_size=60))
def test_folding_a_name_twice_changes_nothing_and_a_name_never_vanishes(text: str) -> None:
    once = normalised_name(text)
    assert normalised_name(once) == once
    assert bool(once) == bool(text.split())


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=20))
def test_case_and_spaces_around_do_not_tell_names_apart(text: str) -> None:
    assert normalised_name(f"  {text.lower()} ") == normalised_name(text.lower())
