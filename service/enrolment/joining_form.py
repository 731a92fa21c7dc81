"""What a person fills in to join by themselves, and its validation; no I/O."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from messages.catalog import Catalog
from schedules.series import Series, load_series
from service.clinics import Clinic
from service.enrolment.form import (
    DEFAULT_BEDTIME,
    EnrolmentForm,
    language_of,
    parse_bedtime,
    read_email,
    read_given_name,
    read_phone,
    read_series,
    read_start,
    read_state,
    require_zone,
)
from service.enrolment.wordings import LANGUAGES, Wording, wording
from service.errors import InvalidInput
from service.store.records import CHANNELS, Channel

LONGEST: Final = 320
"""Characters of one field; more is cut off before anything reads it."""


NOTHING_GIVEN: Final = "nothing_given"
"""Neither a phone nor a mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinForm:
    """Everything as it was typed. Empty means not given.

    Attributes:
        sms, email_too: not empty where the box of the channel was ticked.
        start: day of the visit, ISO.
    """

    given_name: str = ""
    phone: str = ""
    email: str = ""
    sms: str = ""
    email_too: str = ""
    language: str = ""
    timezone: str = ""
    state: str = ""
    bedtime: str = ""
    start: str = ""
    series: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> JoinForm:
        """From the fields of a form; others are passed over."""
        known = {name: fields.get(name, "").strip()[:LONGEST] for name in cls.__slots__}
        return cls(**known)

    def fields(self) -> dict[str, str]:
        """Its fields by name."""
        return asdict(self)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that it asks for."""
        ticked = {"sms": self.sms, "email": self.email_too}
        return tuple(channel for channel in CHANNELS if ticked[channel])


def problems(form: JoinForm, clinic: Clinic, catalog: Catalog) -> dict[str, str]:
    """What is to be put right: field -> code, in the order of the fields; empty where all is well.

    Codes: those of the enrolment form, ``tick_missing``, ``address_missing``,
    ``nothing_given`` (on ``phone``).
    """
    name = form.series or clinic.join_series[0]
    reads: dict[str, Callable[[], object]] = {
        "given_name": lambda: read_given_name(form.given_name),
        "phone": lambda: _address(read_phone(form.phone, clinic.country), form.sms),
        "sms": lambda: _tick(form.phone, form.sms),
        "email": lambda: _address(read_email(form.email), form.email_too),
        "email_too": lambda: _tick(form.email, form.email_too),
        "series": lambda: _offered(name, clinic),
        "language": lambda: language_of(form.language, read_series(name), catalog),
        "timezone": lambda: require_zone(
            form.timezone, clinic.country, parse_bedtime(DEFAULT_BEDTIME)
        ),
        "state": lambda: read_state(form.state, clinic.country),
        "bedtime": lambda: parse_bedtime(form.bedtime or DEFAULT_BEDTIME),
        "start": lambda: read_start(form.start),
    }
    found: dict[str, str] = {}
    for field, read in reads.items():
        try:
            read()
        except InvalidInput as error:
            found[field] = error.code
    if not (form.phone or form.email or form.sms or form.email_too):
        found["phone"] = NOTHING_GIVEN
    return found


def normalised(form: JoinForm, clinic: Clinic) -> JoinForm:
    """A form without problems, its addresses in their normal form, its series named."""
    return replace(
        form,
        given_name=read_given_name(form.given_name),
        phone=read_phone(form.phone, clinic.country) or "",
        email=read_email(form.email) or "",
        series=form.series or clinic.join_series[0],
    )


def languages_of(clinic: Clinic, catalog: Catalog) -> tuple[str, ...]:
    """The languages in which all that a clinic lets one join is written, and the disclosures."""
    steps = [step for name in clinic.join_series for step in load_series(name).steps]
    return tuple(
        language
        for language in LANGUAGES
        if all(language in catalog[step.message].languages for step in steps)
    )


def shown_wording(clinic: Clinic, language: str, version: str = "") -> Wording:
    """The wording as a clinic's patients see it.

    Raises:
        NotFound: there is no such version.
    """
    series = [load_series(name).words(language) for name in clinic.join_series]
    said = [words.frequency for words in series]
    if len(series) > 1:
        said = [f"{words.title}: {words.frequency}" for words in series]
    return wording(language, version).filled(
        {
            "clinic": clinic.name,
            "phone": clinic.phone,
            "emergency": clinic.emergency_number,
            "frequency": "; ".join(said),
        }
    )


def enrolment_form(asked: Mapping[str, str], channel: Channel) -> EnrolmentForm:
    """What is enrolled when one channel of a join has proven itself: that channel alone."""
    texts = channel == "sms"
    return EnrolmentForm(
        clinic=asked["clinic"],
        given_name=asked["given_name"],
        series=asked["series"],
        timezone=asked["timezone"],
        phone=asked["phone"] if texts else "",
        email="" if texts else asked["email"],
        language=asked["language"],
        state=asked["state"],
        bedtime=asked["bedtime"],
        start=asked["start"],
        sms_consent=asked["method"] if texts else "",
        email_consent="" if texts else asked["method"],
        wording=asked["wording"],
    )


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text in capitals, without accents; all else parts them."""
    spelt = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).upper())
    kept = (letter for letter in spelt if unicodedata.category(letter) not in {"Mn", "Me", "Cf"})
    return tuple("".join(c if c.isalnum() else " " for c in kept).split())


def area_timezone(phone: str) -> str | None:
    """The time zone of a number's area, where it has exactly one.

    Args:
        phone: E.164.
    """
    import phonenumbers  # noqa: PLC0415 - slow to load
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number  # noqa: PLC0415

    try:
        zones = time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:  # a short code
        return None
    return zones[0] if len(zones) == 1 and zones[0] != UNKNOWN_TIMEZONE else None


def offered_series(clinic: Clinic) -> tuple[Series, ...]:
    """The series that one can join by oneself."""
    return tuple(load_series(name) for name in clinic.join_series)


def _address(address: str | None, ticked: str) -> None:
    if ticked and address is None:
        raise InvalidInput("", "address_missing", "Give the address, or take the tick away.")


def _tick(address: str, ticked: str) -> None:
    if address and not ticked:
        raise InvalidInput("", "tick_missing", "Tick the box, or leave the address out.")


def _offered(name: str, clinic: Clinic) -> None:
    if name not in clinic.join_series:
        raise InvalidInput("series", "series_unknown", "Choose a series of the list.")
