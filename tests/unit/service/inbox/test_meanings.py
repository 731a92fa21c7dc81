"""What staff may say that a message means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInput
from service.inbox.meanings import CHOICES, LONGEST_WHY, Meaning, require_allowed
from service.store.reply_records import Heard, Reply


def reply(*words: str, word: str = "", opt_out_type: str = "") -> Reply:
    return Reply(
        id="r1",
        address="a1",
        channel="sms",
        heard=Heard(words),
        word=word,
        opt_out_type=opt_out_type,
        clinic="riverside",
        via="webhook",
        at_ms=1,
        stops=1,
        new=False,
        asked=1,
        done=True,
        messages=(),
        answer=None,
    )


def code(*words: str, rating: str = "") -> str:
    with pytest.raises(InvalidInput) as fault:
        Meaning.read(words, rating)
    return fault.value.code


def test_several_things_may_be_meant_at_once() -> None:
    assert Meaning.read(["check_in", "opt_out"], " 7 ") == Meaning(("opt_out", "check_in"), 7)


@pytest.mark.parametrize("word", ["everything", "wrong_number", "died"])
def test_what_ends_more_than_texts_ends_texts(word: str) -> None:
    assert "opt_out" in Meaning.read([word]).words


def test_a_rating_counts_only_where_one_is_meant() -> None:
    assert Meaning.read(["other"], "7").rating is None


@pytest.mark.parametrize("rating", ["", "11", "-1", "7.5", "seven", "\u0667"])
def test_a_rating_is_a_whole_number_from_0_to_10(rating: str) -> None:
    assert code("check_in", rating=rating) == "rating_bad"


def test_nothing_goes_beside_something_for_a_person_to_read() -> None:
    assert code("other", "urgent") == "meaning_bad"
    assert code() == "meaning_bad"


def test_nobody_leaves_and_comes_back_at_once() -> None:
    assert code("opt_in", "wrong_number") == "meaning_both"


def test_a_word_that_is_not_offered_is_refused() -> None:
    assert code("opt_out", "join") == "meaning_unknown"


@given(st.sets(st.sampled_from(CHOICES)), st.integers(0, 10))
def test_what_can_be_meant_is_read_back_as_it_was_given(words: set[str], rating: int) -> None:
    try:
        meaning = Meaning.read(words, str(rating))
    except InvalidInput:
        return
    assert Meaning.of(meaning.heard) == meaning
    assert Meaning.read(meaning.words, str(rating)) == meaning


@pytest.mark.parametrize(
    "given", [reply("opt_out", word="STOP"), reply("opt_out", opt_out_type="STOP")]
)
def test_a_word_on_which_the_provider_blocks_stays_what_it_is(given: Reply) -> None:
    with pytest.raises(InvalidInput) as fault:
        require_allowed(given, Meaning.read(["other"]), "She told me so.")
    assert fault.value.code == "keyword_stands"
    require_allowed(given, Meaning.read(["opt_out", "urgent"]), "")


def test_that_somebody_did_not_mean_to_leave_needs_a_reason() -> None:
    given = reply("opt_out")
    with pytest.raises(InvalidInput) as fault:
        require_allowed(given, Meaning.read(["other"]), "  ")
    assert fault.value.code == "why_missing"
    require_allowed(given, Meaning.read(["other"]), "She told me so.")
    with pytest.raises(InvalidInput) as fault:
        require_allowed(given, Meaning.read(["other"]), "x" * (LONGEST_WHY + 1))
    assert fault.value.code == "why_long"
