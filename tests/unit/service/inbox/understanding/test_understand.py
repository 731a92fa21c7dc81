from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inbox.understanding import Intent, understand
from service.inbox.understanding.plain import MOST_LETTERS

STOPS = (
    *(
        "stop",
        "unsubscribe",
        "opt out",
        "quit",
        "cancel",
        "end",
        "revoke",
        "alto",
        "parar",
        "arret",
    ),
    *("stop texting me", "remove me from your list", "wrong number", "no me escriban más"),
)
NEVER = ("my legs never stop moving", "please don't stop", "quit smoking last week")
SIGNS = ("my left leg is swollen", "I have chest pain", "no puedo respirar", "I want to die")
AROUND = st.text(alphabet=" \t\n.,!?\"'“”\u2018\u2019«»()[]_…\u00a0\u200b\ufeff🙏😡", max_size=6)
POLITE = st.sampled_from(["", "please", "pls", "hi,", "ok", "thank you.", "por favor"])
WRITTEN_AS = st.sampled_from([str, str.upper, str.title, str.swapcase])
SLOWEST_S = 0.5


@given(st.sampled_from(STOPS), AROUND, AROUND, POLITE, POLITE, WRITTEN_AS)
def test_case_punctuation_and_politeness_never_change_a_wish_to_leave(
    wish: str, before: str, after: str, first: str, last: str, written: type[str]
) -> None:
    text = f"{before}{first} {written(wish)} {last}{after}"
    assert Intent.OPT_OUT in understand(text).intents


@given(st.sampled_from(NEVER), AROUND, AROUND, WRITTEN_AS)
def test_decoration_makes_no_wish_to_leave_of_what_is_none(
    said: str, before: str, after: str, written: type[str]
) -> None:
    assert Intent.OPT_OUT not in understand(f"{before}{written(said)}{after}").intents


@given(st.sampled_from(STOPS), st.sampled_from(SIGNS), st.sampled_from([". ", "! ", "\n", "; "]))
def test_two_intents_in_one_text_are_both_found(wish: str, sign: str, between: str) -> None:
    for text in (f"{wish}{between}{sign}", f"{sign}{between}{wish}"):
        assert understand(text).intents == (Intent.OPT_OUT, Intent.URGENT)


@given(st.integers(0, 10), st.sampled_from(STOPS))
def test_an_answer_beside_a_wish_to_leave_is_kept(score: int, wish: str) -> None:
    understood = understand(f"{score}. {wish}")
    assert understood.intents == (Intent.OPT_OUT, Intent.CHECK_IN)
    assert understood.check_in == score


HELP_LINES = (911, 988)


@pytest.mark.parametrize("number", HELP_LINES)
def test_the_number_of_a_help_line_is_a_call_for_help(number: int) -> None:
    assert understand(str(number)).intents == (Intent.URGENT,)


@given(st.integers().filter(lambda number: number not in HELP_LINES))
def test_of_bare_numbers_only_0_to_10_answer(number: int) -> None:
    understood = understand(str(number))
    answers = 0 <= number <= 10
    assert understood.check_in == (number if answers else None)
    assert understood.intents == ((Intent.CHECK_IN,) if answers else (Intent.OTHER,))


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    understood = understand(text)
    assert understood.intents
    assert understood.intents == tuple(sorted(set(understood.intents), key=list(Intent).index))
    assert understood == understand(text)


@pytest.mark.parametrize(
    "piece",
    ["stop ", "a ", "no ", "my leg ", "7 ", ", ", "please do not stop ", "s t o p ", "x", "'", "-"],
)
def test_a_very_long_text_takes_no_longer_than_its_beginning(piece: str) -> None:
    understand(piece)
    text = piece * (10_000 // len(piece))
    began = time.process_time()
    understood = understand(text)
    assert time.process_time() - began < SLOWEST_S
    assert understood == understand(text[:MOST_LETTERS])


@pytest.mark.parametrize(
    "text",
    ["STOPALL", "take me off everything", "no more texts or emails", "she passed away", "stop all"],
)
def test_a_wish_to_leave_altogether_says_so(text: str) -> None:
    assert understand(text).everything


@pytest.mark.parametrize("text", ["STOP", "stop texting me", "unsubscribe", "wrong number"])
def test_a_wish_to_leave_is_for_this_channel_where_it_says_no_more(text: str) -> None:
    assert not understand(text).everything


def test_a_wrong_number_and_a_death_are_told_apart() -> None:
    stranger, mourner = understand("wrong number"), understand("Maria died last week")
    assert (stranger.wrong_number, stranger.died) == (True, False)
    assert (mourner.wrong_number, mourner.died) == (False, True)


def test_the_rules_that_fired_are_named() -> None:
    assert understand("7, unsubscribe").rules == (
        "opt_out.keyword",
        "opt_out.remove",
        "leaving.stop_at_end",
        "check_in.alone",
    )
