"""The messages as authors and staff look them up: as they arrive, what they cost, where they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final

from messages.catalog import Catalog, Message, guide_sections
from messages.plain import Reading
from messages.render import EmailContent, Renderer, SmsText
from messages.sample import sample_context
from messages.script import reading
from schedules.series import list_series
from schedules.steps import Series, Step
from service.clinics import Clinic
from service.reporting.prices import shown

REVIEW_MONTHS: Final = 12
"""A clinician reads each message again within this time."""
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Use:
    """A step of a series version that sends a message."""

    series: Series
    step: Step

    @property
    def is_newest(self) -> bool:
        """Whether who is enrolled now gets it by this version."""
        return newest_of(self.series.name) == self.series.version


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message costs a clinic, as people read it; empty where nobody has told."""

    clinic: str
    sms: str
    email: str


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the list.

    Attributes:
        segments: of its text, by language.
        due: by when it is to be read again; `overdue` where that is past.
    """

    message: Message
    segments: Mapping[str, int]
    used: tuple[Use, ...]
    due: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class Card:
    """All about a message in one language.

    Attributes:
        sources: sections of the guide, each with its title.
        costs: of each clinic that has told its prices.
    """

    message: Message
    language: str
    sms: SmsText
    email: EmailContent
    reading: Reading
    sources: tuple[tuple[str, str], ...]
    used: tuple[Use, ...]
    costs: tuple[Cost, ...]
    due: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are wanted; what is empty does not restrict."""

    strand: str = ""
    series: str = ""
    overdue: bool = False


class Library:
    """Reads the catalog; what never changes while the service runs is measured once."""

    def __init__(self, catalog: Catalog, renderer: Renderer) -> None:
        self._catalog = catalog
        self._renderer = renderer
        self._readings: dict[tuple[str, str], Reading] = {}

    def rows(self, wanted: Filter, today: date) -> list[Row]:
        """The messages that are wanted, by name.

        Args:
            wanted: which.
            today: the day that reviews are held against.
        """
        found = [
            Row(
                message,
                {
                    language: self._text(message, language).segments
                    for language in message.languages
                },
                self._uses.get(message.name, ()),
                due_of(message),
                due_of(message) < today,
            )
            for message in self._catalog
        ]
        return [row for row in found if self._is_wanted(row, wanted)]

    @staticmethod
    def _is_wanted(row: Row, wanted: Filter) -> bool:
        if wanted.strand and row.message.strand != wanted.strand:
            return False
        if wanted.series and not any(use.series.name == wanted.series for use in row.used):
            return False
        return row.overdue or not wanted.overdue

    def _text(self, message: Message, language: str) -> SmsText:
        return self._renderer.sms(message.name, language, sample_context(language))

    @cached_property
    def _uses(self) -> dict[str, tuple[Use, ...]]:
        found: dict[str, list[Use]] = {}
        for series in list_series():
            for step in series.steps:
                found.setdefault(step.message, []).append(Use(series, step))
        return {name: tuple(reversed(uses)) for name, uses in found.items()}

    def card(self, name: str, language: str, today: date, clinics: Sequence[Clinic] = ()) -> Card:
        """All about one message.

        Args:
            name: of the message.
            language: one that it has.
            today: the day that its review is held against.
            clinics: whose costs are told, and the first of which sends the shown message; where
                there are none, a made-up one does.

        Raises:
            UnknownMessage, UnknownLanguage: there is no such message, or not in that language.
        """
        message = self._catalog[name]
        context = context_of(language, clinics[0] if clinics else None)
        sms = self._renderer.sms(name, language, context)
        titles = guide_sections()
        due = due_of(message)
        return Card(
            message=message,
            language=language,
            sms=sms,
            email=self._renderer.email(name, language, context),
            reading=self._reading(name, language),
            sources=tuple((section, titles.get(section, section)) for section in message.sources),
            used=self._uses.get(name, ()),
            costs=tuple(_costs(clinics, sms.segments)),
            due=due,
            overdue=due < today,
        )

    def _reading(self, name: str, language: str) -> Reading:
        if (name, language) not in self._readings:
            self._readings[name, language] = reading(self._catalog, name, language)
        return self._readings[name, language]


def newest_of(series: str) -> int:
    """The newest version of a series."""
    return max(each.version for each in list_series() if each.name == series)


def due_of(message: Message) -> date:
    """The day by which a clinician is to have read a message again."""
    month = message.reviewed.month - 1 + REVIEW_MONTHS
    year = message.reviewed.year + month // _MONTHS
    try:
        return message.reviewed.replace(year=year, month=month % _MONTHS + 1)
    except ValueError:  # read on a 29th of February
        return message.reviewed.replace(year=year, month=month % _MONTHS + 1, day=28)


def context_of(language: str, clinic: Clinic | None) -> dict[str, str]:
    """The values of a made-up patient, of a clinic where one is given."""
    context = sample_context(language)
    if clinic is None:
        return context
    return context | {
        "clinic_name": clinic.name,
        "clinic_phone": clinic.phone,
        "clinic_address": clinic.postal_address,
        "emergency_number": clinic.emergency_number,
        "crisis_line": clinic.crisis_line,
    }


def _costs(clinics: Sequence[Clinic], segments: int) -> Iterator[Cost]:
    for clinic in clinics:
        prices = clinic.prices
        if prices is not None:
            email: Decimal = prices.cost(emails=1)
            yield Cost(
                clinic.name,
                shown(prices.cost(segments=segments), prices.currency),
                shown(email, prices.currency),
            )
