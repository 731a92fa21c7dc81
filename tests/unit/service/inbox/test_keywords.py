from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inbox.keywords import MOST_WORDS, Keyword, keyword, provider_word

STOPS = ("stop", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "opt-out")
FOREIGN_STOPS = ("arret", "arrêt", "alto", "parar")
SAID = {
    **dict.fromkeys((*STOPS, *FOREIGN_STOPS), Keyword.STOP),
    **dict.fromkeys(("stopall", "stop all", "unsubscribe all"), Keyword.STOP_ALL),
    **dict.fromkeys(("start", "unstop"), Keyword.START),
    **dict.fromkeys(("help", "info", "aide", "ayuda"), Keyword.HELP),
}
AROUND = st.text(alphabet=" \t\n.,!?\"'“”\u2018\u2019«»()[]*_-…\u00a0\u200b\ufeff🙏🛑", max_size=6)
POLITE = st.sampled_from(["", "please", "pls", "Thank you", "thanks", "gracias", "s'il vous plaît"])
words = st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=12)


@pytest.mark.parametrize(("text", "expected"), SAID.items())
def test_a_keyword_by_itself_is_understood_in_any_case(text: str, expected: Keyword) -> None:
    assert keyword(text) is expected
    assert keyword(text.upper()) is expected
    assert keyword(text.title()) is expected


@pytest.mark.parametrize(
    "text",
    [
        "Stop. Thank you",
        "please stop",
        "STOP!!",
        "stop please 🙏",
        "“STOP”",
        "'Stop'",
        "STOP STOP STOP",
        "ok stop thanks",
        "S'il vous plaît, arrêt",
        "PARAR, por favor",
        "ST\u200bOP",
        "\uff33\uff34\uff2f\uff30",
        "ARRE\u0302T",
        "Stop\n\nSent from my iPhone",
        "opt  out",
    ],
)
def test_politeness_and_decoration_around_a_stop_are_passed_over(text: str) -> None:
    assert keyword(text) is Keyword.STOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?!",
        "thank you",
        "yes",
        "YES",
        "my legs never stop",
        "my legs never stop moving",
        "please don't stop",
        "we have got to STOP this bill",
        "don't stop",
        "when does this end",
        "the pain started to end",
        "stop start",
        "start stop",
        "stop1",
        "nonstop",
        "can't cancel",
        "I need help",
        "help stop",
        "please " * (MOST_WORDS + 1) + "stop",
    ],
)
def test_everything_else_is_no_keyword(text: str) -> None:
    assert keyword(text) is None


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
    assert keyword(f"{a}{before} {b}{word}{c} {after}{d}") is SAID[word]


@given(st.text())
def test_any_text_is_judged_without_a_fault_and_whatever_its_case_of_ascii(text: str) -> None:
    heard = keyword(text)
    if text.isascii():
        assert keyword(text.upper()) is heard
        assert keyword(text.lower()) is heard


@given(st.sampled_from(STOPS), st.lists(words, min_size=1, max_size=5), st.integers(0, 5))
def test_a_stop_among_words_of_a_sentence_is_left_to_a_person(
    word: str, sentence: list[str], at: int
) -> None:
    sentence = [f"x{other}" for other in sentence]  # words that are neither keyword nor politeness
    sentence.insert(at, word)
    assert keyword(" ".join(sentence)) is None
