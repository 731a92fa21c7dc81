"""The way to the provider of texts, from settings."""

from __future__ import annotations

from service.carriers.base import TextCarrier
from service.errors import ConfigurationError
from service.settings import Settings


def text_carrier(settings: Settings, *, total_s: float | None = None) -> TextCarrier | None:
    """The carrier of texts; None where none is set up. Its caller closes it.

    Args:
        settings: read once at start.
        total_s: longest time a request may take, where that is not the settings'.

    Raises:
        ConfigurationError: a credential is missing.
    """
    if not settings.twilio_account_sid:
        return None
    if settings.twilio_auth_token is None:
        raise ConfigurationError(
            "AFTERVISIT_TWILIO_ACCOUNT_SID is set, AFTERVISIT_TWILIO_AUTH_TOKEN is not; set both."
        )
    # Imported here: the SDK takes a third of a second, and most commands send nothing.
    from service.carriers.http import TwilioHttp  # noqa: PLC0415
    from service.carriers.twilio_sms import TwilioSms  # noqa: PLC0415

    http = TwilioHttp(
        settings.twilio_api_base_url,
        connections=settings.in_flight,
        total_s=settings.send_timeout_s if total_s is None else total_s,
    )
    token = settings.twilio_auth_token.get_secret_value()
    return TwilioSms(settings.twilio_account_sid, token, http)
