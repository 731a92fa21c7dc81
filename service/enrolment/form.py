"""What a person or a program fills in to enrol a patient, and its validation; no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from functools import lru_cache, partial
from typing import TypeVar

from messages.addresses import AddressError, parse_email, parse_phone
from messages.catalog import Catalog
from schedules.calendar import Profile
from schedules.errors import ScheduleError
from schedules.quiet_hours import parse_state
from schedules.series import Series, load_series
from service.clinics import Clinic
from service.errors import InvalidInput, together
from service.store.records import CHANNELS, Channel

MAX_NAME = 60
DEFAULT_BEDTIME = "22:30"
EARLIEST_START = date(1970, 1, 1)
LATEST_START = date(2199, 12, 31)
_REFUSALS = frozenset(
    {"no", "none", "not", "false", "0", "n", "n/a", "na", "never", "refused", "declined", "unknown"}
)
_Read = TypeVar("_Read")
_WORD = re.compile(r"[\w][\w .:/@+-]{0,63}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentForm:
    """Everything as it was typed. Empty means not given.

    Attributes:
        sms_consent: how the patient agreed to texts (``verbal``, ``written``, ``web`` ...).
        email_consent: the same for e-mail.
        wording: version of the consent wording that was shown or read out.
        start: ISO date, the patient's own; empty for today.
    """

    clinic: str
    given_name: str
    series: str
    timezone: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    state: str = ""
    bedtime: str = ""
    start: str = ""
    sms_consent: str = ""
    email_consent: str = ""
    wording: str = ""


@dataclass(frozen=True, slots=True)
class ValidForm:
    """The same, checked and normalised.

    Attributes:
        consents: channel -> how it was given.
        start: None for today in the patient's zone.
    """

    clinic: Clinic
    given_name: str
    phone: str | None
    email: str | None
    language: str
    timezone: str
    state: str | None
    bedtime: time
    series: Series
    start: date | None
    consents: Mapping[Channel, str]
    wording: str


def validate(
    form: EnrolmentForm,
    clinics: Mapping[str, Clinic],
    catalog: Catalog,
    *,
    nameless: bool = False,
) -> ValidForm:
    """Check a form.

    Args:
        form: as typed.
        clinics: by id.
        catalog: the message library.
        nameless: whether the name may be left out: who joins by text has told none.

    Raises:
        InvalidInput: what is wrong: field, code and what to give instead, of the first thing and of
            all the ``others``.
    """
    judged = judge(form, clinics, catalog, nameless=nameless)
    if isinstance(judged, ValidForm):
        return judged
    raise together(judged)


def judge(
    form: EnrolmentForm,
    clinics: Mapping[str, Clinic],
    catalog: Catalog,
    *,
    nameless: bool = False,
) -> ValidForm | tuple[InvalidInput, ...]:
    """Check a form as `validate` does; everything that is wrong where anything is.

    What cannot be judged because something else is wrong (a phone without its clinic's country)
    is left out.
    """
    faults = _Faults()
    clinic = faults.of(lambda: read_clinic(form.clinic, clinics))
    person = _Person.of(form, clinic, faults, nameless=nameless)
    series = faults.of(lambda: read_series(form.series))
    language = faults.of(lambda: language_of(form.language, series, catalog)) if series else None
    when = _When.of(form, clinic.country if clinic else None, faults)
    consents = _consents(form, faults)
    if faults.found or not (clinic and series and when.bedtime):
        return tuple(faults.found)
    return ValidForm(
        clinic=clinic,
        given_name=person.given_name or "",
        phone=person.phone,
        email=person.email,
        language=language or "",
        timezone=form.timezone.strip(),
        state=when.state,
        bedtime=when.bedtime,
        series=series,
        start=when.start,
        consents=consents,
        wording=form.wording.strip(),
    )


def judge_person(form: EnrolmentForm, like: ValidForm) -> ValidForm | tuple[InvalidInput, ...]:
    """Check a form that says the same as one that was valid, but for name, phone and mailbox.

    Where that one had a phone or a mailbox, this one is to have some text in its place too.
    """
    faults = _Faults()
    person = _Person.of(form, like.clinic, faults)
    if faults.found:
        return tuple(faults.found)
    name = person.given_name or ""
    return replace(like, given_name=name, phone=person.phone, email=person.email)


@dataclass(frozen=True, slots=True)
class _Person:
    """What of a form says whom it is about; None for what is missing or wrong."""

    given_name: str | None
    phone: str | None
    email: str | None

    @classmethod
    def of(
        cls, form: EnrolmentForm, clinic: Clinic | None, faults: _Faults, *, nameless: bool = False
    ) -> _Person:
        """Read it; without the clinic's country no phone can be read."""
        typed = form.given_name
        anonymous = nameless and not typed.strip()
        name = "" if anonymous else faults.of(lambda: read_given_name(typed))
        phone = faults.of(lambda: read_phone(form.phone, clinic.country)) if clinic else None
        email = faults.of(lambda: read_email(form.email))
        if not form.phone.strip() and not form.email.strip():
            faults.note("phone", "address_missing", "Give a phone number, an e-mail, or both.")
        return cls(name, phone, email)


@dataclass(frozen=True, slots=True)
class _When:
    """What of a form says when somebody is written to; None for what is wrong."""

    bedtime: time | None
    state: str | None
    start: date | None

    @classmethod
    def of(cls, form: EnrolmentForm, country: str | None, faults: _Faults) -> _When:
        """Read it; ``country`` is None where the clinic is wrong."""
        bedtime = faults.of(lambda: parse_bedtime(form.bedtime or DEFAULT_BEDTIME))
        state = faults.of(lambda: read_state(form.state, country)) if country else None
        usual = bedtime or parse_bedtime(DEFAULT_BEDTIME)
        faults.of(lambda: require_zone(form.timezone, country or "US", usual))
        return cls(bedtime, state, faults.of(lambda: read_start(form.start)))


class _Faults:
    """Collects what is wrong with a form.

    Attributes:
        found: in the order in which it is asked.
    """

    def __init__(self) -> None:
        self.found: list[InvalidInput] = []

    def of(self, read: Callable[[], _Read]) -> _Read | None:
        """What was read, None where it was wrong."""
        try:
            return read()
        except InvalidInput as error:
            self.found.append(error)
            return None

    def note(self, field: str, code: str, message: str) -> None:
        """Add one."""
        self.found.append(InvalidInput(field, code, message))


def read_clinic(identifier: str, clinics: Mapping[str, Clinic]) -> Clinic:
    """The clinic of an id; empty for the only one there is.

    Raises:
        InvalidInput: there is none of that id; says which there are.
    """
    if not identifier.strip() and len(clinics) == 1:
        return next(iter(clinics.values()))
    clinic = clinics.get(identifier.strip())
    if clinic is None:
        known = ", ".join(sorted(clinics))
        raise InvalidInput("clinic", "clinic_unknown", f"No such clinic. Known: {known}.")
    return clinic


def read_given_name(text: str) -> str:
    """A given name without needless spaces.

    Raises:
        InvalidInput: it is missing, too long, or not printable.
    """
    name = " ".join(text.split())
    if not name:
        raise InvalidInput("given_name", "name_missing", "Give the patient's given name.")
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(
            "given_name", "name_bad", f"Give a name of at most {MAX_NAME} printable characters."
        )
    return name


def read_phone(text: str, region: str) -> str | None:
    """A number in E.164, None for nothing.

    Raises:
        InvalidInput: it is no number that gets texts.
    """
    if not text.strip():
        return None
    try:
        return parse_phone(text, region)
    except AddressError as error:
        raise InvalidInput("phone", error.code, str(error)) from None


def read_email(text: str) -> str | None:
    """A mailbox in its normal form, None for nothing.

    Raises:
        InvalidInput: it is none.
    """
    if not text.strip():
        return None
    try:
        return parse_email(text)
    except AddressError as error:
        raise InvalidInput("email", error.code, str(error)) from None


def read_series(name: str) -> Series:
    """The newest version of a series.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return load_series(name.strip())
    except ScheduleError as error:
        raise InvalidInput("series", "series_unknown", str(error)) from None


def language_of(text: str, series: Series, catalog: Catalog) -> str:
    """A language that every message of a series is written in.

    Raises:
        InvalidInput: some are not, or it is no language.
    """
    language = text.strip().lower()
    whole = _languages(series.name, series.version, catalog)
    if language not in whole:
        lacking = [step for step in series.steps if language not in catalog[step.message].languages]
        raise InvalidInput(
            "language",
            "language_unknown",
            f"The series {series.name} is not written in {language or 'no language'!r} "
            f"({len(lacking)} of {len(series.steps)} messages are missing). "
            f"Written in: {', '.join(whole)}.",
        )
    return language


@lru_cache(maxsize=256)
def _languages(series: str, version: int, catalog: Catalog) -> tuple[str, ...]:
    """Those that every message of a series is written in."""
    steps = load_series(series, version).steps
    return tuple(sorted(set.intersection(*(set(catalog[s.message].languages) for s in steps))))


def parse_bedtime(text: str) -> time:
    """A bedtime as typed, on a clock of 24 hours.

    Raises:
        InvalidInput: it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InvalidInput("bedtime", "bedtime_bad", "Give the bedtime as 22:30 (24 hours).")
    return time(int(match[1]), int(match[2]))


def require_zone(timezone: str, country: str, bedtime: time) -> None:
    """Let the calendar itself judge the zone.

    Raises:
        InvalidInput: it is none.
    """
    if not timezone.strip():
        raise InvalidInput(
            "timezone", "timezone_missing", "Give the patient's time zone: America/New_York."
        )
    try:
        Profile(timezone=timezone.strip(), country=country, bedtime=bedtime)
    except ScheduleError as error:
        raise InvalidInput("timezone", "timezone_unknown", str(error)) from None


def read_state(text: str, country: str) -> str | None:
    """The patient's state; not assumed to be the clinic's, since its hours may be stricter."""
    try:
        return parse_state(text, country)
    except ScheduleError as error:
        raise InvalidInput("state", "state_unknown", f"{error}.") from None


def read_start(text: str) -> date | None:
    """A day, None for nothing.

    Raises:
        InvalidInput: it is none.
    """
    if not text.strip():
        return None
    try:
        start = date.fromisoformat(text.strip())
    except ValueError:
        start = None
    if start is None or not EARLIEST_START <= start <= LATEST_START:
        raise InvalidInput("start", "date_bad", "Give the start as a date, such as 2026-03-02.")
    return start


def _consents(form: EnrolmentForm, faults: _Faults) -> dict[Channel, str]:
    """Every address needs evidence that its owner agreed to be written to."""
    given: dict[Channel, tuple[str, str]] = {
        "sms": (form.phone.strip(), form.sms_consent.strip()),
        "email": (form.email.strip(), form.email_consent.strip()),
    }
    anywhere = any(address for address, _ in given.values())
    consents: dict[Channel, str] = {}
    for channel in CHANNELS:
        address, method = given[channel]
        field = f"{channel}_consent"
        if not address:
            if method and anywhere:
                said = f"There is consent for {channel}, but no address: give it, or do without."
                faults.note(field, "consent_without_address", said)
            continue
        agreed = faults.of(partial(read_consent, method, channel))
        if agreed is not None:
            consents[channel] = agreed
    faults.of(lambda: read_wording(form.wording))
    return consents


def read_consent(text: str, channel: Channel) -> str:
    """How somebody agreed to a channel: a word.

    Raises:
        InvalidInput: it is missing, or says that they did not.
    """
    method = text.strip()
    if not _WORD.fullmatch(method) or method.casefold() in _REFUSALS:
        raise InvalidInput(
            f"{channel}_consent",
            "consent_missing",
            f"Say how the patient agreed to {channel} (verbal, written, web ...), or leave "
            f"that address out: without evidence of consent nobody is written to.",
        )
    return method


def read_wording(text: str) -> str:
    """The version of the wording that somebody agreed to.

    Raises:
        InvalidInput: it is missing.
    """
    version = text.strip()
    if not _WORD.fullmatch(version):
        raise InvalidInput(
            "wording",
            "wording_missing",
            "Give the version of the consent wording the patient saw or heard, such as 2026-01.",
        )
    return version
