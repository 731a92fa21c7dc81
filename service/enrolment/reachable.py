"""By which channels a clinic writes to people, and the number that they text."""

from __future__ import annotations

from service.clinics import Clinic
from service.dispatch.senders import Senders
from service.errors import ConfigurationError
from service.settings import Settings
from service.store.records import Channel


def channels_of(clinic: Clinic, senders: Senders, settings: Settings) -> tuple[Channel, ...]:
    """The channels that are set up and have a sender of the clinic's."""
    set_up: dict[Channel, object] = {"sms": settings.twilio_account_sid, "email": settings.smtp_url}
    found: list[Channel] = []
    for channel, there in set_up.items():
        try:
            senders.of(clinic, channel)
        except ConfigurationError:
            continue
        if there:
            found.append(channel)
    return tuple(found)


def number_of(clinic: Clinic, senders: Senders) -> str | None:
    """The number that one texts to reach a clinic, as it is read; None where there is none."""
    if clinic.join_number:
        return clinic.join_number
    try:
        address = senders.of(clinic, "sms").address
    except ConfigurationError:
        return None
    if address.startswith("+"):
        return shown_phone(address, clinic)
    return address if address.isdigit() else None


def shown_phone(number: str, clinic: Clinic) -> str:
    """A number (E.164) as people of the clinic's country write it."""
    import phonenumbers  # noqa: PLC0415 - slow to load

    parsed = phonenumbers.parse(number)
    forms = phonenumbers.PhoneNumberFormat
    at_home = phonenumbers.country_code_for_region(clinic.country) == parsed.country_code
    text: str = phonenumbers.format_number(
        parsed, forms.NATIONAL if at_home else forms.INTERNATIONAL
    )
    return text
