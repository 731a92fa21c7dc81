import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.plain import read, sentences, syllables

SYLLABLES = {
    1: "the times goes changed helped used size bruise mile whole asked breathe breathes clothes "
    "stretch eye shoes hours knees calves eased please walks cooled",
    2: "water evening caffeine moved-up walking wanted added changes places minutes table little "
    "people being doing quiet diet science special useful safely movement careless gentle ankles "
    "muscles stretches million coffee painful trouble couple needed noticed noted rhythm causes "
    "nurses likely biggest restless something sometimes someone lifestyle bedtime settled",
    3: "alcohol exercise medicine idea area video radio period serious various easier earlier "
    "happier ultrasound ferritin family history reaction chocolate",
    4: "magnesium emergency diabetes circulation saturation meditation usually anybody",
}


@pytest.mark.parametrize(
    ("word", "count"),
    [(word, count) for count, listed in SYLLABLES.items() for word in listed.split()],
)
def test_everyday_words_get_their_dictionary_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'-", min_size=1, max_size=20))
def test_no_word_has_more_syllables_than_letters(word: str) -> None:
    assert 0 <= syllables(word) <= len(word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One", "Two", "Three"]),
        ("Bed by 10 p.m. at home. Then sleep.", ["Bed by 10 pm at home", "Then sleep"]),
        ("See Dr. Lee.", ["See Dr Lee"]),
        ("Try:\n\n- a walk\n- a stretch", ["Try:", "a walk", "a stretch"]),
        ('Ask: "Is it safe?" Then wait.', ['Ask: "Is it safe', "Then wait"]),
        ("Pi is 3.14 or so.", ["Pi is 3.14 or so"]),
        ("--------------------", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_pauses(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


def test_the_grade_is_kincaids_formula() -> None:
    found = read("The cat sat on the mat. The dog ran to the red door.")
    assert (found.words, found.sentences, found.syllables) == (13, 2, 13)
    assert found.grade == 0.0
    found = read("Regular physical activity improves cardiovascular function considerably.")
    assert found.grade > 12
    assert found.long_share > 0.5


def test_an_empty_text_has_no_grade_and_divides_by_nothing() -> None:
    assert read("").grade == 0.0
    assert read("123 - 456").long_share == 0.0


@given(st.text(max_size=300))
def test_counts_hold_together_for_any_text(text: str) -> None:
    found = read(text)
    assert found.longest_sentence <= found.words <= max(found.syllables, found.words)
    assert found.long_words <= found.words
    assert found.sentences <= found.words
