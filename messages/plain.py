"""How plain a text is: direct counts first, a school grade only for long texts.

The grade is Flesch-Kincaid's (Kincaid et al. 1975), made for English. On a few sentences it
says little (PMC12919665), so lint holds it against a whole strand and single messages against
sentence length and long words.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_DOTTED: Final = re.compile(
    r"\b(?:[a-z]\.){2,}|\b(?:dr|mr|mrs|ms|st|no|vs|etc)\.(?=\s)", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”\u2019)\]]*(?=\s|$)|\n+")
_LIST_MARK: Final = re.compile(r"^\s*(?:- |\d+\. |> |-{3,}$)", re.MULTILINE)
_VOWELS: Final = re.compile(r"[aeiouyáéíóúü]+")
_LONG: Final = 3  # syllables; the usual line between plain and long words

# Where the count of vowel groups is one too many (a silent e), or one too few (two vowels in one
# group spoken apart); and everyday words that no such rule gets right.
_SILENT: Final = re.compile(
    r"[^aeiouyl]e$|[aeiouy]le$|(?:[^aeiouytdl]|[aeiouyl]l)ed$|(?:[^aeiouyscxzghl]|[aeiouy]l|th)es$"
    r"|(?<=[^aeiouy])e(?:ly|ful|less|ment)(?:s|ly)?$|^(?:some|home|life|there|where|fore)(?=[^aeiouy])"
)
_APART: Final = re.compile(
    r"ia(?!l|n$|ns$)|(?<![tcgxs])iou|io(?!us|n)|ua(?!r)|eo(?!u|p)|iu(?=m)|[aeiou]ing|ier$|iest$|iet|ism$"
    r"|(?:^|c)rea[ct](?!h)"
)
_IRREGULAR: Final = {
    "anybody": 4, "area": 3, "areas": 3, "being": 2, "business": 2, "diabetes": 4, "evening": 2,
    "evenings": 2, "every": 2, "idea": 3, "ideas": 3, "maybe": 2, "people": 2, "rhythm": 2,
    "science": 2, "several": 2, "vegetables": 4, "different": 2, "somebody": 3,
    "someone": 2, "everyday": 3, "aches": 1, "headaches": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts over one text.

    Attributes:
        words, sentences, syllables: totals; a list item or heading counts as a sentence.
        long_words: words of three syllables and more.
        longest_sentence: words in the longest sentence.
        grade: Flesch-Kincaid US school grade, 0 for an empty text.
    """

    words: int
    sentences: int
    syllables: int
    long_words: int
    longest_sentence: int

    @property
    def grade(self) -> float:
        """Return 0.39 words a sentence + 11.8 syllables a word - 15.59, to one decimal."""
        if not self.words:
            return 0.0
        raw = 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59
        return round(max(raw, 0.0), 1)

    @property
    def long_share(self) -> float:
        """Return the share of long words, from 0 to 1."""
        return self.long_words / self.words if self.words else 0.0


@lru_cache(maxsize=1024)  # lint asks for the same text once a rule
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a plain text; list items and headings are sentences too."""
    undotted = _DOTTED.sub(lambda found: found[0].replace(".", ""), _LIST_MARK.sub("", text))
    parts = _SENTENCE_END.split(undotted)
    return tuple(part.strip() for part in parts if _WORD.search(part))


def words(text: str) -> list[str]:
    """Return the words of a text; numbers are none."""
    return _WORD.findall(text)


@lru_cache(maxsize=8192)
def syllables(word: str) -> int:
    """Estimate the syllables of a word, at least one."""
    return sum(_syllables_of(part) for part in re.split(r"-", word.lower()) if part)


def _syllables_of(word: str) -> int:
    bare = re.sub(r"['\u2019](?:s|t|re|ve|ll|d|m)$", "", word)
    if bare in _IRREGULAR:
        return _IRREGULAR[bare]
    count = len(_VOWELS.findall(bare)) + len(_APART.findall(bare))
    return max(count - len(_SILENT.findall(bare)), 1)


def read(text: str) -> Reading:
    """Count a plain text."""
    lengths: list[int] = []
    spoken: list[int] = []
    for sentence in sentences(text):
        found = words(sentence)
        lengths.append(len(found))
        spoken += [syllables(word) for word in found]
    return Reading(
        words=len(spoken),
        sentences=len(lengths),
        syllables=sum(spoken),
        long_words=sum(count >= _LONG for count in spoken),
        longest_sentence=max(lengths, default=0),
    )
