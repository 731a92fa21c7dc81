"""The second opinion: what texts are like, and that it only adds to what rules find."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inbox.understanding import Intent, told, understand, understand_by_rules
from service.inbox.understanding.intents import ALIKE, denies_leaving
from service.inbox.understanding.likeness import LEARNED, likeness, pieces_of
from service.inbox.understanding.plain import plain
from tests.learn.judging import FALSE
from tests.learn.texts import digest
from tests.support.labelled import corpus, measured

MEASURED = tuple(measured())
TEXTS = tuple(dict.fromkeys(each.text for each in (*corpus(), *MEASURED)))
HEARD = {each.text: understand(each.text).intents for each in MEASURED}
ALIKE_ALONE = {Intent.OPT_OUT: 0.78, Intent.URGENT: 0.65}
"""Of what an author held out means, so much is heard by likeness alone, at the score it takes."""
MISSED = {Intent.OPT_OUT: 0.01, Intent.URGENT: 0.02}
"""By rules and likeness together."""
FALSELY = 0.01
MOST_PIECES = 25_000
SLOWEST_S = 0.5
LETTERS = st.characters(categories=("L", "N", "P", "S", "Z"))


@pytest.mark.parametrize("intent", ALIKE)
def test_what_was_learnt_was_learnt_from_the_texts_of_the_repository(intent: Intent) -> None:
    """After a change of texts or of word classes: `make learn`."""
    assert likeness(intent).texts == digest(intent)


@pytest.mark.parametrize("intent", ALIKE)
def test_authors_who_were_held_out_are_understood(intent: Intent) -> None:
    found = likeness(intent).figures
    assert found
    for author in ("first", "second", "third", "fourth", "fifth"):
        counted = found[author]
        assert counted["alike"] >= ALIKE_ALONE[intent] * counted["meant"], author
        assert counted["missed"] <= MISSED[intent] * counted["meant"], author
        assert counted["false"] <= FALSELY * counted["texts"], author


@pytest.mark.parametrize("intent", ALIKE)
def test_texts_that_were_learnt_from_are_understood(intent: Intent) -> None:
    meant = [each for each in MEASURED if intent in each.intents]
    missed = [each.text for each in meant if intent not in HEARD[each.text]]
    false = [
        each.text for each in MEASURED if intent not in each.intents and intent in HEARD[each.text]
    ]
    assert len(missed) <= len(meant) / 100, missed
    assert len(false) <= len(MEASURED) / 100, false


def test_every_intent_that_is_learnt_has_its_file_and_no_other() -> None:
    assert {path.name for path in LEARNED.iterdir()} == {f"{intent}.tsv" for intent in FALSE}
    assert set(FALSE) == set(ALIKE)
    assert all(len(likeness(intent).weights) < MOST_PIECES for intent in ALIKE)


@given(st.one_of(st.sampled_from(TEXTS), st.text(max_size=200)))
def test_likeness_only_adds_to_what_rules_find(text: str) -> None:
    ruled, both = understand_by_rules(text), understand(text)
    assert {*ruled.intents} - {Intent.OTHER} <= {*both.intents}
    assert {*both.intents} - {*ruled.intents} <= set(ALIKE)
    assert both.rules[: len(ruled.rules)] == ruled.rules
    assert (both.check_in, both.everything) == (ruled.check_in, ruled.everything)
    added = [intent for intent in Intent if intent in both.intents and intent not in ruled.intents]
    assert list(both.rules[len(ruled.rules) :]) == [f"likeness.{intent}" for intent in added]


@given(st.sampled_from(TEXTS), st.sampled_from(["", "  ", "\n", "\u200b", "\ufeff"]))
def test_accents_and_space_around_a_text_change_nothing(text: str, around: str) -> None:
    parted = unicodedata.normalize("NFD", text)
    assert understand(f"{around}{parted}{around}") == understand(text)


@given(st.sampled_from([text for text in TEXTS if text.isascii()]))
def test_case_changes_nothing_of_what_a_text_is_like(text: str) -> None:
    assert pieces_of(plain(text.upper())) == pieces_of(plain(text.lower()))


@given(st.text(alphabet=LETTERS, max_size=400).filter(lambda text: not text.isascii()))
def test_letters_at_random_are_like_nothing(text: str) -> None:
    understood = understand(text)
    assert not [rule for rule in understood.rules if rule.startswith("likeness.")]


@given(st.lists(st.text("bcdfghjklmnpqrstvwxz", min_size=6, max_size=12), min_size=1, max_size=20))
def test_gibberish_is_like_nothing(words: list[str]) -> None:
    understood = understand(" ".join(words))
    assert not [rule for rule in understood.rules if rule.startswith("likeness.")]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "谢谢你们的建议",
            "明天见",
            "ありがとうございます",
            "감사합니다",
            "Спасибо большое за совет",
        ),
        *("شكرا جزيلا", "תודה רבה", "Ευχαριστώ πολύ", "धन्यवाद", "ขอบคุณค่ะ", "Cảm ơn bác sĩ"),
        *("Dziękuję bardzo za pomoc", "Vielen Dank für die Tipps", "Tack så mycket för hjälpen"),
        *("Molte grazie per i consigli", "Obrigado pelas dicas", "Salamat po", "Asante sana"),
        *(
            "kk",
            "hmm",
            "brb",
            "xx",
            "lol",
            "👍",
            "🙏🙏",
            "Ann",
            "Dr Lee",
            "Tuesday",
            "maybe",
            "what",
        ),
    ],
)
def test_other_languages_and_words_that_say_little_are_like_nothing(text: str) -> None:
    assert not {Intent.OPT_OUT, Intent.URGENT} & {*understand(text).intents}


@pytest.mark.parametrize(
    "text",
    [
        "don't you dare quit sending me these lol",
        "no quiero darme de baja",
        "I dont want these to end",
    ],
)
def test_a_wish_to_leave_that_a_rule_finds_denied_stays_denied(text: str) -> None:
    assert denies_leaving(plain(text))
    assert Intent.OPT_OUT not in understand(text).intents


@pytest.mark.parametrize("text", ["want out of this program", "my leg is swollen", ""])
def test_a_text_without_a_denial_denies_nothing(text: str) -> None:
    assert not denies_leaving(plain(text))


KNOWN = sorted({word for of in ALIKE for piece in likeness(of).weights for word in piece.split()})


@given(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=2))
def test_one_word_or_two_are_like_nothing_whatever_they_are(words: list[str]) -> None:
    understood = understand(" ".join(words))
    assert not [rule for rule in understood.rules if rule.startswith("likeness.")]


@pytest.mark.parametrize("piece", ["please no ", "my leg and chest ", "x", "é ", "🙏", ", ", "a. "])
def test_a_very_long_text_is_weighed_in_bounded_time(piece: str) -> None:
    understand(piece)
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    understand(text)
    assert time.process_time() - began < SLOWEST_S


def test_people_are_told_which_words_made_a_text_like_others() -> None:
    text = "Is there some way these could go elsewhere, my phone is not yours to fill with messages"
    said = told(("likeness.opt_out", "check_in.alone"), text)
    assert said[0].startswith("likeness.opt_out (“")
    assert all(words in text.lower() for words in re.findall("“(.+?)”", said[0]))
    assert said[1] == "check_in.alone"


def test_rules_are_told_by_their_names() -> None:
    assert told(("opt_out.keyword", "urgent.chest"), "stop") == ("opt_out.keyword", "urgent.chest")


def test_where_the_words_are_not_at_hand_a_likeness_has_its_name_only() -> None:
    assert told(("likeness.opt_out",), "") == ("likeness.opt_out",)
