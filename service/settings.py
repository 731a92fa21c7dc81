"""Settings, read once at the start of a process from the environment and from secret files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import ConfigurationError
from service.mail.addresses import parse_listen, parse_return_address

SECRETS_DIR = Path("/run/secrets")
TWILIO_API_BASE_URL = "https://api.twilio.com"
QUICK_ON_LOOPBACK: Final[dict[str, float]] = {
    "lease_s": 20.0,
    "settle_s": 30.0,
    "retry_base_s": 1.0,
    "sms_per_second": 1000.0,
    "emails_per_second": 1000.0,
}
"""Defaults where every carrier is on this machine: there is no operator's queue to be gentle to,
and a test or a fast clock should not wait for one."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_FAST_CLOCK = re.compile(r"fast:(?P<factor>\d+(\.\d+)?)(@(?P<start>.+))?")


class ClockSetting(BaseModel, frozen=True):
    """How business time runs.

    Attributes:
        factor: business seconds a real second; None for the real clock.
        start: business instant of the first start (UTC), None for now.
    """

    factor: float | None = None
    start: datetime | None = None

    @property
    def fast(self) -> bool:
        """Whether business time runs apart from the machine's."""
        return self.factor is not None


class Settings(BaseSettings):
    """Every setting of the service; each is the environment variable ``AFTERVISIT_<NAME>``.

    A file of that name in lower case in ``/run/secrets`` serves as well (Docker secrets).
    """

    model_config = SettingsConfigDict(
        env_prefix="AFTERVISIT_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    redis_url: str | None = Field(None, description="The store. Unset: an embedded Valkey.")
    broker_url: str | None = Field(None, description="Celery's broker. Unset: the store's server.")
    twilio_account_sid: str | None = Field(None, description="Twilio account, AC...")
    twilio_auth_token: SecretStr | None = Field(None, description="Twilio auth token.")
    twilio_from: str | None = Field(None, description="Sender number (E.164) or short code.")
    twilio_messaging_service_sid: str | None = Field(
        None, description="Messaging Service, MG..., instead of a number."
    )
    twilio_api_base_url: str = Field(
        TWILIO_API_BASE_URL, description="Where Twilio's API is; another base for tests."
    )
    smtp_url: SecretStr | None = Field(
        None, description="smtp://user:pass@host:port, smtps://, ?starttls=required"
    )
    mail_from: str | None = Field(None, description="Sender of e-mail: Name <address>.")
    return_address: str | None = Field(None, description="Where bounces and answers come back.")
    mail_listen: str | None = Field(None, description="lmtp://host:port, where they are taken.")
    public_url: str | None = Field(None, description="Base of our own links and webhooks.")
    secret_keys: SecretStr | None = Field(
        None, description="Key ring id:base64,... newest first. Unset: made under DATA_DIR."
    )
    data_dir: Path = Field(Path("var"), description="Embedded store, keys, sandbox.")
    clock: str = Field("real", description="real, or fast:FACTOR[@ISO-START] on loopback only.")
    clinics: Path | None = Field(None, description="TOML file of clinics.")

    web_host: str = Field("127.0.0.1", description="Address the web process listens on.")
    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Its port.")
    page_link_days: Annotated[float, Field(gt=0, le=366)] = Field(
        30, description="How long a link to a patient's page is good for, days."
    )
    trusted_proxies: str = Field(
        "127.0.0.0/8,::1/128", description="Networks of the proxies in front of the web process."
    )
    worker_processes: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Worker processes on this machine."
    )
    in_flight: Annotated[int, Field(ge=1, le=256)] = Field(
        32, description="Sends under way at once in a worker process."
    )
    partitions: Annotated[int, Field(ge=1, le=1024)] = Field(
        64, description="Partitions of the store; fixed at installation."
    )
    lease_s: Annotated[float, Field(ge=1)] = Field(60, description="A claim's lease, seconds.")
    smtp_connections: Annotated[int, Field(ge=1, le=256)] = Field(
        8, description="Connections to the mail server, a worker process."
    )
    settle_s: Annotated[float, Field(ge=0)] = Field(
        600, description="How long proof of an outcome holds the series up, seconds."
    )
    retry_base_s: Annotated[float, Field(gt=0)] = Field(
        30, description="Back-off before the first retry, seconds; doubles, with full jitter."
    )
    sms_per_second: Annotated[float, Field(gt=0)] = Field(
        1, description="Texts a second of a sender whose clinic sets no rate of its own."
    )
    emails_per_second: Annotated[float, Field(gt=0)] = Field(
        50, description="E-mails a second of a sender."
    )
    filtered_percent: Annotated[float, Field(ge=0, le=100)] = Field(
        5, description="Share of a day's texts filtered above which their sender is stopped."
    )
    alert_again_s: Annotated[float, Field(ge=1)] = Field(
        900, description="An urgent reply that nobody took is told of again after this, seconds."
    )
    import_rows: Annotated[int, Field(ge=1, le=16_000_000)] = Field(
        1_000_000, description="Rows that a file of patients may have."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity logged to stderr."
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        """An empty secret file means what an empty variable does: not set."""
        return {name: value for name, value in given.items() if value != ""}

    @field_validator("clock")
    @classmethod
    def _clock_is_readable(cls, text: str) -> str:
        parse_clock(text)
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _networks_are_readable(cls, text: str) -> str:
        for part in filter(None, (part.strip() for part in text.split(","))):
            ip_network(part)
        return text

    @field_validator("return_address")
    @classmethod
    def _return_address_takes_tokens(cls, text: str | None) -> str | None:
        if text is not None:
            parse_return_address(text)
        return text

    @field_validator("mail_listen")
    @classmethod
    def _listens_for_mail(cls, text: str | None) -> str | None:
        if text is not None:
            parse_listen(text)
        return text

    @field_validator("twilio_api_base_url", "public_url")
    @classmethod
    def _base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("give an absolute http(s) URL, such as https://drip.example.org")
        if parts.query or parts.fragment:
            raise ValueError("give the base alone, without a query or a fragment")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _fast_only_on_loopback(self) -> Settings:
        if not self.clock_setting.fast:
            return self
        for name, url in self.carrier_urls().items():
            if urlsplit(url).hostname not in LOOPBACK_HOSTS:
                raise ValueError(
                    f"CLOCK=fast sends months of messages in minutes: it is refused unless every "
                    f"carrier is on loopback, and {name} is not. Point it at 127.0.0.1 or set "
                    f"CLOCK=real"
                )
        return self

    @model_validator(mode="after")
    def _what_is_listened_for_comes_back(self) -> Settings:
        if self.mail_listen and not self.return_address:
            raise ValueError(
                "AFTERVISIT_MAIL_LISTEN is set, and nothing comes back to it: set "
                "AFTERVISIT_RETURN_ADDRESS too, such as bounces@mail.clinic.example"
            )
        return self

    @property
    def clock_setting(self) -> ClockSetting:
        """The parsed ``CLOCK``."""
        return parse_clock(self.clock)

    @property
    def public_base(self) -> str:
        """Base of the links in messages: ``PUBLIC_URL``, or this machine's web process."""
        return self.public_url or f"http://127.0.0.1:{self.web_port}"

    def carrier_urls(self) -> dict[str, str]:
        """The URLs of the carriers that are configured, by setting name."""
        urls = {}
        if self.twilio_account_sid:
            urls["TWILIO_API_BASE_URL"] = self.twilio_api_base_url
        if self.smtp_url:
            urls["SMTP_URL"] = self.smtp_url.get_secret_value()
        return urls

    @property
    def send_timeout_s(self) -> float:
        """Total seconds for one provider call: well inside the lease it is begun under.

        Twilio answers within 30 s even when it is slow, so with the default lease the two fit.
        """
        return self.lease_s / 2

    @property
    def carriers_on_loopback(self) -> bool:
        """Whether no configured carrier can reach a real patient."""
        return all(urlsplit(url).hostname in LOOPBACK_HOSTS for url in self.carrier_urls().values())


def parse_clock(text: str) -> ClockSetting:
    """Read ``real`` or ``fast:FACTOR[@ISO-START]``.

    Raises:
        ValueError: it is neither.
    """
    if text == "real":
        return ClockSetting()
    match = _FAST_CLOCK.fullmatch(text)
    if match is None or float(match["factor"]) <= 0:
        raise ValueError("give real, or fast:FACTOR[@ISO-START] such as fast:3600@2026-03-02T08:00")
    start = None
    if match["start"]:
        try:
            start = datetime.fromisoformat(match["start"])
        except ValueError:
            raise ValueError(
                "after the @ give an ISO date and time, such as 2026-03-02T08:00"
            ) from None
        start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    return ClockSetting(factor=float(match["factor"]), start=start)


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - whatever a field takes
    """Read the settings from the environment, secret files and ``overrides`` (which win).

    Raises:
        ConfigurationError: a value is wrong; the sentence names the variable and the remedy.
    """
    secrets = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    try:
        settings = Settings(_secrets_dir=secrets, **overrides)  # type: ignore[call-arg] # pydantic's
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        what = first["msg"].removeprefix("Value error, ")
        variable = f"AFTERVISIT_{name}: " if name else ""
        raise ConfigurationError(f"{variable}{what}.") from None
    if settings.carrier_urls() and settings.carriers_on_loopback:
        unset = QUICK_ON_LOOPBACK.keys() - settings.model_fields_set
        return settings.model_copy(update={name: QUICK_ON_LOOPBACK[name] for name in unset})
    return settings
