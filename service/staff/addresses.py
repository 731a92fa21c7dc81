"""Correct a patient's phone or mailbox: a new address needs consent anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from service.clinics import Clinic
from service.clock import BusinessClock, from_ms
from service.enrolment.form import read_consent, read_email, read_phone, read_wording
from service.errors import InvalidInput, StoreUnavailable, require_all
from service.store.address_changes import AddressChanges
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient

TRIES: Final = 5
_FIELD: Final[Mapping[Channel, str]] = {"sms": "phone", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddress:
    """What is to be in its place, as it was typed.

    Attributes:
        address: phone or mailbox.
        consent: how the patient agreed to be written to there (``verbal``, ``written`` ...).
        wording: version of the wording that they saw or heard.
    """

    channel: Channel
    address: str
    consent: str
    wording: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What correcting an address came to.

    Attributes:
        suppressed: why nothing goes to the new address either (it has opted out before, or does
            not work); empty where it may be written to.
        sharing: ids of others who use the new address.
    """

    suppressed: str
    sharing: tuple[str, ...]


class Addresses:
    """The use case behind the console and the API."""

    def __init__(
        self,
        patients: Patients,
        changes: AddressChanges,
        clinics: Mapping[str, Clinic],
        business: BusinessClock,
    ) -> None:
        self._patients = patients
        self._changes = changes
        self._clinics = clinics
        self._business = business

    def correct(self, identifier: str, new: NewAddress, *, source: str) -> Corrected:
        """Put an address in place of the one on record, or add the one that was lacking.

        The consent to the old one is none to the new one: evidence is asked for. Nothing that was
        not begun goes to the old one any more, links that went there are dead, and what the new
        one has opted out of holds at once. What had ended since nothing reached the patient goes
        on where something does now.

        Raises:
            InvalidInput: the address or the evidence is lacking or cannot be; nothing was changed.
            NotFound: there is no such patient.
            StoreUnavailable: not, or not wholly, done; ask again.
        """
        for _ in range(TRIES):
            fields = self._patients.load(identifier)
            known = self._patients.contact(fields)
            self._require_good(known, new)
            wanted = self._wanted(known, new)
            consent = {
                "channel": new.channel,
                "method": read_consent(new.consent, new.channel),
                "wording": read_wording(new.wording),
                "address": wanted.address(new.channel) or "",
                "by": source,
                "at": from_ms(self._business.now_ms()).isoformat(),
            }
            if self._changes.correct(fields, known, wanted, consent, source=source):
                return self._told(identifier, wanted, new.channel)
        raise StoreUnavailable("The patient's record keeps changing; try again.")

    def _require_good(self, known: Patient, new: NewAddress) -> None:
        require_all(
            lambda: self._wanted(known, new),
            lambda: read_consent(new.consent, new.channel),
            lambda: read_wording(new.wording),
        )

    def _wanted(self, known: Patient, new: NewAddress) -> Patient:
        clinic = self._clinics.get(known.clinic)
        country = known.country if clinic is None else clinic.country
        sms = new.channel == "sms"
        address = read_phone(new.address, country) if sms else read_email(new.address)
        if address is None:
            field = _FIELD[new.channel]
            raise InvalidInput(field, f"{field}_missing", "Give the new address.")
        if address == known.address(new.channel):
            raise InvalidInput(
                _FIELD[new.channel], "address_same", "That is the address on record already."
            )
        channels = tuple(each for each in CHANNELS if each in {*known.channels, new.channel})
        if sms:
            return replace(known, phone=address, channels=channels)
        return replace(known, email=address, channels=channels)

    def _told(self, identifier: str, wanted: Patient, channel: Channel) -> Corrected:
        copy = self._patients.load(identifier).suppression(channel)
        others = self._changes.sharing(wanted, channel)
        return Corrected(copy.reason if copy and copy.on else "", others)
