"""What holds for every row of a file: where consent comes from, and what fills in empty cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from messages.catalog import Catalog
from service.clinics import Clinic
from service.enrolment.form import (
    DEFAULT_BEDTIME,
    language_of,
    parse_bedtime,
    read_clinic,
    read_consent,
    read_series,
    read_state,
    read_wording,
    require_zone,
)
from service.errors import InvalidInput

UNTOLD_METHOD: Final = "import"
UNTOLD_WORDING: Final = "not-stated"
DATES: Final = ("iso", "mdy", "dmy")
"""Ways to write a day: 2026-03-02, 3/2/2026 and 2/3/2026."""
ENCODINGS: Final = ("utf-8", "utf-16", "cp1252", "mac_roman", "cp850", "cp1250", "iso8859_15")
"""Those that one may name where a file does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Told once for a whole file. Empty means not told.

    Attributes:
        clinic, series, language, timezone, state: of rows whose cell is empty or missing.
        method: how the patients agreed.
        wording: version of the consent wording that they saw or heard.
        encoding: one of ``ENCODINGS``, where the file is not to be asked.
        dates: one of ``DATES``.
        clinics: ids of those that may be enrolled in; none for all.
    """

    clinic: str = ""
    series: str = ""
    language: str = ""
    timezone: str = ""
    state: str = ""
    method: str = ""
    wording: str = ""
    encoding: str = ""
    dates: str = "iso"
    clinics: tuple[str, ...] = ()

    @property
    def evidence_told(self) -> bool:
        """Whether it was told how the patients agreed, and to which wording."""
        return bool(self.method.strip() and self.wording.strip())

    def visible(self, clinics: Mapping[str, Clinic]) -> dict[str, Clinic]:
        """Those of the clinics that may be enrolled in."""
        return {i: clinic for i, clinic in clinics.items() if not self.clinics or i in self.clinics}

    def filled(self) -> Terms:
        """The same with honest words where it was not told how the patients agreed."""
        return replace(
            self,
            method=self.method.strip() or UNTOLD_METHOD,
            wording=self.wording.strip() or UNTOLD_WORDING,
            language=self.language.strip() or "en",
        )

    def check(self, clinics: Mapping[str, Clinic], catalog: Catalog) -> None:
        """See that they can be used at all, before any row is judged by them.

        Raises:
            InvalidInput: the first that cannot.
        """
        filled = self.filled()
        try:
            read_consent(filled.method, "sms")
        except InvalidInput as error:
            said = "Say how the patients agreed: verbal, written, web ... Without that nobody is "
            raise InvalidInput("method", error.code, f"{said}written to.") from None
        read_wording(filled.wording)
        if self.encoding and self.encoding not in ENCODINGS:
            said = f"Give the encoding as one of {', '.join(ENCODINGS)}."
            raise InvalidInput("encoding", "encoding_unknown", said)
        if self.dates not in DATES:
            said = f"Give the order of dates as one of {', '.join(DATES)}."
            raise InvalidInput("dates", "dates_unknown", said)
        self._check_defaults(self.visible(clinics), catalog)

    def _check_defaults(self, clinics: Mapping[str, Clinic], catalog: Catalog) -> None:
        clinic = read_clinic(self.clinic, clinics) if self.clinic.strip() else None
        country = clinic.country if clinic else next(iter(clinics.values())).country
        if self.series.strip():
            language_of(self.filled().language, read_series(self.series), catalog)
        if self.timezone.strip():
            require_zone(self.timezone, country, parse_bedtime(DEFAULT_BEDTIME))
        read_state(self.state, country)

    def pack(self) -> str:
        """As kept with an import."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def unpack(cls, text: str) -> Terms:
        """Read what `pack` wrote."""
        read = json.loads(text)
        return cls(**{**read, "clinics": tuple(read["clinics"])})
