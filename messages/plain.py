"""How plain a text is: direct counts first, formulas only for long texts.

On a few sentences formulas say little (PMC12919665), so lint holds them against a whole strand, and
single messages against sentence length and long words. Each language has formulas of its own:

- English: grade by Kincaid et al. 1975, ease by Flesch 1948.
- Spanish: grade, the years of primary school, by Crawford 1984 (Lectura y Vida 5(4)); ease by
  Szigriszt Pazos 1993, read on the INFLESZ scale, which was made for texts for patients:
  65 and more is "fairly easy" (Barrio-Cantalejo et al. 2008, An Sist Sanit Navar 31(2):135-152).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from messages.syllables import syllables

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_DOTTED: Final = re.compile(
    r"\b(?:[a-z]\.){2,}|\b(?:dr|dra|mr|mrs|ms|sr|sra|st|no|vs|etc)\.(?=\s)", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”\u2019)\]]*(?=\s|$)|\n+")
_LIST_MARK: Final = re.compile(r"^\s*(?:- |\d+\. |> |-{3,}$)", re.MULTILINE)

LONG_WORD: Final = {"en": 3, "es": 4}
"""From how many syllables on a word is long; Spanish words have more of them than English ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts over one text.

    Attributes:
        words, sentences, syllables: totals; a list item or heading counts as a sentence.
        long_words: words of `LONG_WORD` syllables and more.
        longest_sentence: words in the longest sentence.
        language: whose formulas are used; one without formulas of its own gets the English ones.
    """

    words: int
    sentences: int
    syllables: int
    long_words: int
    longest_sentence: int
    language: str = "en"

    @property
    def grade(self) -> float:
        """Return the school grade, to one decimal; 0 for an empty text.

        English: 0.39 words a sentence + 11.8 syllables a word - 15.59. Spanish: 0.049 syllables
        - 0.205 sentences in a hundred words - 3.407.
        """
        if not self.words:
            return 0.0
        spoken, length = self.syllables / self.words, self.words / self.sentences
        if self.language == "es":
            raw = 4.9 * spoken - 20.5 / length - 3.407
        else:
            raw = 0.39 * length + 11.8 * spoken - 15.59
        return round(max(raw, 0.0), 1)

    @property
    def ease(self) -> float:
        """Return how easy it reads, to one decimal, about 0 to 100; 100 for an empty text.

        English: 206.835 - 84.6 syllables a word - 1.015 words a sentence. Spanish: 206.835 - 62.3
        syllables a word - words a sentence.
        """
        if not self.words:
            return 100.0
        spoken, length = self.syllables / self.words, self.words / self.sentences
        if self.language == "es":
            return round(206.835 - 62.3 * spoken - length, 1)
        return round(206.835 - 84.6 * spoken - 1.015 * length, 1)

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


def read(text: str, language: str = "en") -> Reading:
    """Count a plain text."""
    lengths: list[int] = []
    spoken: list[int] = []
    for sentence in sentences(text):
        found = words(sentence)
        lengths.append(len(found))
        spoken += [syllables(word, language) for word in found]
    long = LONG_WORD.get(language, LONG_WORD["en"])
    return Reading(
        words=len(spoken),
        sentences=len(lengths),
        syllables=sum(spoken),
        long_words=sum(count >= long for count in spoken),
        longest_sentence=max(lengths, default=0),
        language=language,
    )
