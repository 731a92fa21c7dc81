from __future__ import annotations

import pytest

from service.inbox.understanding.patterns import BadPattern, read_pattern
from service.inbox.understanding.plain import plain
from service.inbox.understanding.rulefiles import PATTERN_FILES, lexicon
from service.inbox.understanding.rules import rules_of
from service.inbox.understanding.spelling import one_error_apart
from service.inbox.understanding.words import words_of


def found(pattern: str, text: str) -> bool:
    (sentence,) = plain(text)
    return read_pattern(pattern, lexicon().names, {}).found(words_of(sentence))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^ walk $", "walk"),
        ("walk|run far", "I run far"),
        ("(walk|run very) far", "I run very far"),
        ("run (very)* far", "I run very very far"),
        ("run very? far", "I run far"),
        ("run .. far", "I run one two three far"),
        ("run ... far", "I run one two three four five far"),
        ("run _ far", "I run too far"),
        ("{message} {message}", "text messages"),
        ("{died}", "he passed away"),
    ],
)
def test_a_pattern_is_found(pattern: str, text: str) -> None:
    assert found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^ walk $", "I walk"),
        ("(walk|run very) far", "I run far"),
        ("run .. far", "I run one two three four far"),
        ("run .. far", "I run not far"),
        ("run .. far", "I run, far"),
        ("{died}", "he walked away"),
    ],
)
def test_a_pattern_is_not_found(pattern: str, text: str) -> None:
    assert not found(pattern, text)


@pytest.mark.parametrize(
    "pattern", ["(walk", "walk)", "{nothing_of_that_name}", "|walk", "*", "()?*"]
)
def test_a_pattern_that_cannot_be_read_is_named(pattern: str) -> None:
    with pytest.raises(BadPattern, match="cannot be read"):
        read_pattern(pattern, frozenset(), {})


@pytest.mark.parametrize("file", PATTERN_FILES)
def test_every_rule_file_can_be_read(file: str) -> None:
    assert rules_of(file).rules


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Pls don't STOP!!", "please do not stop"),
        ("s t o p", "stop"),
        ("S.T.O.P", "stop"),
        ("STOOOOP", "stop"),
        ("ѕтор", "stop"),
        ("ST\u200bOP", "stop"),
        ("pleasestop", "please stop"),
        ("unsubscrbe", "unsubscribe"),
        ("déjenme en paz", "dejenme en paz"),
        ("m'envoyer", "m envoyer"),
        ("5-6", "5 to 6"),
        ("7/10", "7 out of 10"),
        ("stop\n\nSent from my iPhone", "stop"),
        ("shop", "shop"),
        ("the swell", "the swell"),
    ],
)
def test_however_it_is_typed_the_words_are_the_same(typed: str, words: str) -> None:
    (sentence,) = plain(typed)
    assert " ".join(sentence.words) == words


@pytest.mark.parametrize("typed", ["stpo", "sto", "stopp", "stap", "xstop", "tsop"])
def test_one_error_is_a_letter_left_out_added_mistaken_or_swapped(typed: str) -> None:
    assert one_error_apart(typed, "stop")


@pytest.mark.parametrize("typed", ["stop", "st", "sstopp", "spto", "pots", ""])
def test_none_or_two_errors_are_not_one(typed: str) -> None:
    assert not one_error_apart(typed, "stop")
