"""The clinics of an installation: who sends, from which numbers, with which help lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from messages.addresses import parse_email, parse_phone
from messages.sms import segment
from schedules.calendar import zone_of
from schedules.errors import ScheduleError
from schedules.quiet_hours import parse_state
from schedules.series import load_series
from service.errors import ConfigurationError
from service.reporting.prices import Prices

OptOutHandling = Literal["twilio_default", "advanced", "toll_free", "ours"]
JoinWord = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,20}$")]
_TAKEN = frozenset({"YES", "NO", "SAME", "BETTER", "WORSE"})
MAX_NAME = 30
"""A clinic's name stands before every text; a longer one costs each patient a second segment."""


class Clinic(BaseModel):
    """One site, as patients know it.

    Attributes:
        id: short stable word used on the command line and in files.
        phone: shown to patients as written.
        country: ISO 3166 two letters; phones without a country code are read as of here.
        state: where the clinic is, two letters in the US; not assumed of its patients.
        opt_out_handling: who answers STOP on this clinic's sender.
        sms_from: sender number or Messaging Service; the installation's where None.
        sms_per_second: the sender's rate.
        email_replies: where answers to e-mails go: to ``mail_from``, or into the service's inbox
            (which needs AFTERVISIT_RETURN_ADDRESS).
        hours: opening hours, as shown to patients.
        alert_emails: who is told when a reply may be urgent; `alert_phones` the same by text.
        alert_webhook: URL that is told as well, signed with `alert_secret`.
        timezone: where the clinic is; of those who join by text, unless their phone tells better.
        join_keyword: the word that joins when it is texted to the clinic's number; None: no word.
        join_keyword_es: the same for tips in Spanish.
        join_number: the number to text it to, where the sender is a Messaging Service.
        join_series: what one can join by oneself; the first is what the word joins.
        prices: what its messages cost; None where nobody has told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    name: Annotated[str, Field(min_length=2, max_length=MAX_NAME)]
    phone: Annotated[str, Field(min_length=3, max_length=24)]
    postal_address: Annotated[str, Field(min_length=5, max_length=200)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "US"
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    emergency_number: Annotated[str, Field(min_length=2, max_length=16)] = "911"
    crisis_line: Annotated[str, Field(min_length=2, max_length=24)] = "988"
    opt_out_handling: OptOutHandling = "twilio_default"
    sms_from: str | None = None
    sms_per_second: Annotated[float, Field(gt=0)] | None = None
    mail_from: str | None = None
    email_replies: Literal["clinic", "inbox"] = "clinic"
    hours: str | None = None
    alert_emails: tuple[str, ...] = ()
    alert_phones: tuple[str, ...] = ()
    alert_webhook: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    alert_secret: Annotated[str, Field(min_length=16)] | None = Field(default=None, repr=False)
    timezone: str | None = None
    join_keyword: JoinWord | None = None
    join_keyword_es: JoinWord | None = None
    join_number: Annotated[str, Field(min_length=3, max_length=24)] | None = None
    join_series: Annotated[tuple[str, ...], Field(min_length=1)] = ("restless-legs",)
    prices: Prices | None = None

    @model_validator(mode="after")
    def _state_exists(self) -> Self:
        try:
            parse_state(self.state or "", self.country)
        except ScheduleError as error:
            raise ValueError(str(error)) from None
        return self

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if self.alert_webhook is not None and self.alert_secret is None:
            raise ValueError("alert_webhook needs alert_secret, by which its calls are signed")
        return self

    @field_validator("alert_emails")
    @classmethod
    def _mailboxes(cls, emails: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(parse_email(email) for email in emails)

    @field_validator("alert_phones")
    @classmethod
    def _numbers(cls, phones: tuple[str, ...], known: ValidationInfo) -> tuple[str, ...]:
        return tuple(parse_phone(phone, known.data.get("country", "US")) for phone in phones)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        try:
            return name and str(zone_of(name))
        except ScheduleError as error:
            raise ValueError(str(error)) from None

    @field_validator("join_series")
    @classmethod
    def _series_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(load_series(name).name for name in names)
        except ScheduleError as error:
            raise ValueError(str(error)) from None

    @property
    def join_words(self) -> dict[str, str]:
        """The clinic's words for joining by text, each with the language of its tips."""
        words = {self.join_keyword: "en", self.join_keyword_es: "es"}
        return {word: language for word, language in words.items() if word}

    @field_validator("name", "phone")
    @classmethod
    def _fits_a_text(cls, text: str) -> str:
        if segment(text).encoding != "GSM-7":
            raise ValueError(
                "use letters that every phone shows in one segment (GSM-7): no curly quotes, "
                "long dashes or rarer accents"
            )
        return text


SAMPLE_CLINIC = Clinic(
    id="riverside",
    name="Riverside Clinic",
    phone="(503) 555-0142",
    postal_address="12 Harbor Street, Portland, OR 97201",
    country="US",
    state="OR",
    hours="Mon-Fri 8-17",
    alert_emails=("desk@riverside.example",),
    timezone="America/Los_Angeles",
    join_keyword="LEGS",
    join_keyword_es="PIERNAS",
)
"""A made-up clinic for the sandbox and for loopback carriers; a real carrier refuses it."""


def shared_timezone(clinics: Iterable[Clinic]) -> str:
    """The zone that all of them are in; UTC where they are in several, or one has told none."""
    zones = {clinic.timezone for clinic in clinics}
    return (zones.pop() if len(zones) == 1 else None) or "UTC"


class _ClinicsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    clinic: Annotated[list[Clinic], Field(min_length=1)]


def load_clinics(path: Path) -> dict[str, Clinic]:
    """Read a clinics file (``[[clinic]]`` tables); clinics by id.

    Raises:
        ConfigurationError: unreadable, or a field is wrong; names the file, field and remedy.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        clinics = _ClinicsFile.model_validate(content).clinic
    except OSError as error:
        raise ConfigurationError(
            f"The clinics file {path} cannot be read ({error.strerror}). "
            f"Set AFTERVISIT_CLINICS to a TOML file with one [[clinic]] table a clinic."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The clinics file {path} is not TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"The clinics file {path}, {where}: {what}.") from None
    by_id = {clinic.id: clinic for clinic in clinics}
    if len(by_id) != len(clinics):
        raise ConfigurationError(f"The clinics file {path} has two clinics with one id.")
    _require_free_words(clinics, path)
    words = [(clinic.sms_from, word) for clinic in clinics for word in clinic.join_words]
    if len(set(words)) != len(words):
        raise ConfigurationError(
            f"The clinics file {path} has one join_keyword twice for the same number; "
            f"give each clinic on a number a word of its own."
        )
    return by_id


def _require_free_words(clinics: Sequence[Clinic], path: Path) -> None:
    """A word for joining must not mean anything else in a text.

    Not a validator of the field: what understands texts reads its rules first, for which nobody is
    to wait who has no clinics file.
    """
    words = [word for clinic in clinics for word in clinic.join_words]
    if not words:
        return
    from service.inbox.understanding import understand  # noqa: PLC0415 - see above

    for word in words:
        if word in _TAKEN or "other" not in understand(word).intents:
            raise ConfigurationError(
                f"The clinics file {path}: {word} as join_keyword or join_keyword_es means "
                f"something else in a text already; take another word."
            )
