"""The wordings of consent that people are shown, by version and language, and never changed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from service.errors import NotFound

_FOLDER: Final = Path(__file__).parent / "wordings"
LANGUAGES: Final = ("en", "es")
"""Each version is written in all of these."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One version in one language.

    Attributes:
        version: such as ``2026-11``.
        sms, email: what one agrees to by ticking a channel's box.
        title: of the disclosures.
        disclosures: one or two sentences each.
    """

    version: str
    language: str
    sms: str
    email: str
    title: str
    disclosures: tuple[str, ...]

    @property
    def name(self) -> str:
        """What stands in the evidence of consent: version and language."""
        return f"{self.version}/{self.language}"

    def filled(self, values: Mapping[str, str]) -> Wording:
        """The wording as it is shown.

        Args:
            values: ``clinic``, ``phone``, ``emergency`` and ``frequency``.
        """
        return replace(
            self,
            sms=self.sms.format_map(values),
            email=self.email.format_map(values),
            disclosures=tuple(text.format_map(values) for text in self.disclosures),
        )


@cache
def versions() -> tuple[str, ...]:
    """Every version there is, the oldest first."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def wording(language: str, version: str = "") -> Wording:
    """A version in a language; the newest where none is named.

    Raises:
        NotFound: there is none of that name or in that language.
    """
    known = versions()
    version = version or known[-1]
    if version not in known or language not in LANGUAGES:
        raise NotFound(
            f"There is no wording {version} in {language!r}. There are {', '.join(known)}, "
            f"each in {' and '.join(LANGUAGES)}."
        )
    return _read(version)[language]


@cache
def _read(version: str) -> dict[str, Wording]:
    tables = tomllib.loads((_FOLDER / f"{version}.toml").read_text("utf-8"))
    return {
        language: Wording(
            version=version,
            language=language,
            sms=tables[language]["sms"],
            email=tables[language]["email"],
            title=tables[language]["title"],
            disclosures=tuple(tables[language]["disclosures"]),
        )
        for language in LANGUAGES
    }
