"""Who a message goes out as: a clinic's sender for each channel, with its rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr

from service.clinics import Clinic
from service.errors import ConfigurationError
from service.settings import Settings
from service.store.records import Channel


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender of one channel.

    Attributes:
        address: E.164 number, short code, Messaging Service SID, or mailbox.
        name: display name, e-mail only.
        per_second: the rate that all workers share.
    """

    address: str
    name: str
    per_second: float


class Senders:
    """The senders of every clinic, from settings and the clinics file."""

    def __init__(self, settings: Settings, clinics: Mapping[str, Clinic]) -> None:
        self._settings = settings
        self._clinics = clinics
        self._known: dict[tuple[str, Channel], Sender] = {}

    def of(self, clinic: Clinic, channel: Channel) -> Sender:
        """The sender of a clinic for a channel.

        Raises:
            ConfigurationError: none is set; names the variable.
        """
        sender = self._known.get((clinic.id, channel))
        if sender is None:
            sender = self._text(clinic) if channel == "sms" else self._email(clinic)
            self._known[clinic.id, channel] = sender
        return sender

    def _text(self, clinic: Clinic) -> Sender:
        settings = self._settings
        address = (
            clinic.sms_from or settings.twilio_messaging_service_sid or settings.twilio_from or ""
        )
        if not address:
            raise ConfigurationError(
                "No sender for texts: set AFTERVISIT_TWILIO_FROM or "
                "AFTERVISIT_TWILIO_MESSAGING_SERVICE_SID, or sms_from of the clinic."
            )
        return Sender(address, "", clinic.sms_per_second or settings.sms_per_second)

    def _email(self, clinic: Clinic) -> Sender:
        name, address = parseaddr(clinic.mail_from or self._settings.mail_from or "")
        if "@" not in address:
            raise ConfigurationError(
                "No sender for e-mail: set AFTERVISIT_MAIL_FROM to Name <address>, or mail_from "
                "of the clinic."
            )
        return Sender(address, name or clinic.name, self._settings.emails_per_second)

    def clinic_by_id(self, identifier: str) -> Clinic | None:
        """The clinic of that id, None where there is none (any more)."""
        return self._clinics.get(identifier)

    def clinic_of(self, number: str, messaging_service: str = "") -> Clinic | None:
        """The clinic that an inbound text was sent to; the only clinic where there is one."""
        for clinic in self._clinics.values():
            if clinic.sms_from and clinic.sms_from in {number, messaging_service}:
                return clinic
        return next(iter(self._clinics.values())) if len(self._clinics) == 1 else None
