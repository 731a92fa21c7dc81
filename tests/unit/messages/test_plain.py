import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.plain import read, sentences
from messages.syllables import syllables

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
SPANISH = {
    1: "y el pie bien muy hoy sin que guion luz diez buey",
    2: "piernas agua aire causa cuota ruido ciudad día queso guía estoy hierro aún noche bueno "
    "sueño llame oír quiere",
    3: "mañana leído paseo bahía respire llamada calambre caminar inquieto leyendo "
    "vergüenza pingüino sol-y-luz",
    4: "ferritina medicina inquietudes energía océano teléfono almohadas cafeína",
    5: "enfermedades anticipaba temporalmente",
}


@pytest.mark.parametrize(
    ("word", "count"),
    [(word, count) for count, listed in SYLLABLES.items() for word in listed.split()],
)
def test_everyday_words_get_their_dictionary_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [(word, count) for count, listed in SPANISH.items() for word in listed.split()],
)
def test_spanish_words_get_the_syllables_of_their_spelling(word: str, count: int) -> None:
    assert syllables(word, "es") == syllables(word.upper(), "es") == count


@pytest.mark.parametrize("language", ["en", "es"])
@given(word=st.text(alphabet="abcdefghijklmnopqrstuvwxyzáéíóúüñ'-", min_size=1, max_size=20))
def test_no_word_has_more_syllables_than_letters(language: str, word: str) -> None:
    assert 0 <= syllables(word, language) <= len(word)


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


def test_the_spanish_formulas_are_crawfords_and_szigriszt_pazos() -> None:
    found = read("El sol sale hoy. La luna se va.", "es")
    assert (found.words, found.sentences, found.syllables) == (8, 2, 10)
    assert found.ease == round(206.835 - 62.3 * 10 / 8 - 8 / 2, 1)
    assert found.grade == 0.0
    found = read("La actividad regular favorece considerablemente la circulación.", "es")
    assert (found.words, found.sentences, found.syllables) == (7, 1, 24)
    assert found.grade == round(-0.205 * 100 / 7 + 0.049 * 2400 / 7 - 3.407, 1)
    assert found.ease < 40


def test_a_word_is_long_from_more_syllables_on_in_spanish() -> None:
    assert read("medicina", "es").long_words == 1
    assert read("mañana", "es").long_words == 0
    assert read("medicine").long_words == 1


def test_an_empty_text_has_no_grade_and_divides_by_nothing() -> None:
    assert read("").grade == read("", "es").grade == 0.0
    assert read("").ease == 100.0
    assert read("123 - 456").long_share == 0.0


@given(st.text(max_size=300))
def test_counts_hold_together_for_any_text(text: str) -> None:
    found = read(text)
    assert found.longest_sentence <= found.words <= max(found.syllables, found.words)
    assert found.long_words <= found.words
    assert found.sentences <= found.words
