from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inbox.heard import heard
from service.inbox.keywords import TWILIO_WORDS, provider_word

STOPS = ("stop", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "opt-out")
FOREIGN_STOPS = ("arret", "arrêt", "alto", "parar")
SAID = {
    **dict.fromkeys((*STOPS, *FOREIGN_STOPS), "stop"),
    **dict.fromkeys(("stopall", "stop all", "unsubscribe all"), "stop_all"),
    **dict.fromkeys(("start", "unstop"), "start"),
    **dict.fromkeys(("help", "info", "aide", "ayuda"), "help"),
}
AROUND = st.text(alphabet=" \t\n.,!?\"'“”\u2018\u2019«»()[]*_-…\u00a0\u200b\ufeff🙏", max_size=6)
POLITE = st.sampled_from(["", "please", "pls", "Thank you", "thanks", "gracias", "s'il vous plaît"])


@pytest.mark.parametrize(("text", "asked"), SAID.items())
def test_a_keyword_by_itself_is_understood_in_any_case(text: str, asked: str) -> None:
    assert heard(text).keyword == asked
    assert heard(text.upper()).keyword == asked
    assert heard(text.title()).keyword == asked


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", "STOP"),
        (" stop\n", "STOP"),
        ("StopAll", "STOPALL"),
        ("OptOut", "OPTOUT"),
        ("yes", "YES"),
        ("info", "INFO"),
        ("opt out", ""),
        ("Stop please", ""),
        ("STOP!", ""),
        ("ARRET", ""),
        ("", ""),
    ],
)
def test_the_provider_matches_its_own_words_as_a_whole_only(text: str, word: str) -> None:
    assert provider_word(text) == word


@given(st.sampled_from(sorted(SAID)), POLITE, POLITE, AROUND, AROUND, AROUND, AROUND)
def test_a_decorated_keyword_is_that_keyword(
    word: str, before: str, after: str, a: str, b: str, c: str, d: str
) -> None:
    assert heard(f"{a}{before} {b}{word}{c} {after}{d}").keyword == SAID[word]


@pytest.mark.parametrize("word", [word for word, did in TWILIO_WORDS.items() if did == "STOP"])
def test_whatever_the_provider_takes_for_a_stop_is_one(word: str) -> None:
    assert heard(word).keyword in {"stop", "stop_all"}


@pytest.mark.parametrize(
    ("text", "did", "words"),
    [
        ("Baja", "STOP", ("opt_out",)),
        ("my legs never stop", "STOP", ("opt_out",)),
        ("7 stop", "STOP", ("opt_out", "check_in")),
        ("stop", "START", ("opt_in",)),
        ("yes", "START", ("opt_in", "affirm")),
        ("Hilfe", "HELP", ("help",)),
        ("STOPALL", "STOP", ("opt_out", "everything")),
    ],
)
def test_what_the_provider_did_by_itself_is_what_was_asked(
    text: str, did: str, words: tuple[str, ...]
) -> None:
    found = heard(text, did)
    assert found.words == words
    assert found.rules[0] == f"provider.{did.lower()}"


def test_wrong_numbers_and_deaths_are_told_apart_from_other_opt_outs() -> None:
    assert heard("wrong number").says("wrong_number")
    assert heard("She passed away last month. Please stop.").says("died")
    assert not heard("stop").says("wrong_number")
    assert heard("She passed away last month. Please stop.").keyword == "stop_all"
