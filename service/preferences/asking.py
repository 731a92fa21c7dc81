"""Ask for a link to the page: it goes to the address itself, and tells the one who asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from messages.addresses import AddressError, parse_email, parse_phone
from service.clinics import Clinic
from service.clock import MachineClock
from service.errors import InvalidInput
from service.preferences.access import PageAccess
from service.store.limits import Limits
from service.store.patients import Patients
from service.store.records import LETTER, Channel, PatientFields
from service.store.responses import Response, Responses
from service.store.suppressions import Suppressions

MESSAGE: Final = "page-link"
"""In the library."""
ADDRESS_LIMITS: Final = ((3, 3600.0), (3, 86_400.0))
"""Links to one address: nobody's phone or mailbox is flooded by somebody who types it in."""
SOURCE_MOST, SOURCE_S = 20, 600.0
"""Requests of one source: a household or a clinic's own network asks for less."""
MOST_PEOPLE: Final = 8
"""Patients that one link leads to; more would not fit into a text."""


class PageRequests:
    """The use case behind the form at ``/p``."""

    def __init__(
        self,
        patients: Patients,
        suppressions: Suppressions,
        access: PageAccess,
        responses: Responses,
        limits: Limits,
        clinics: Mapping[str, Clinic],
        machine: MachineClock,
        public_base: str,
    ) -> None:
        self._patients = patients
        self._suppressions = suppressions
        self._access = access
        self._responses = responses
        self._limits = limits
        self._clinics = clinics
        self._machine = machine
        self._base = public_base

    def may_ask(self, source: str) -> bool:
        """Whether a source (by its keyed hash) has not asked too often lately; it is counted."""
        return self._limits.allow("page-link-source", source, SOURCE_MOST, SOURCE_S)

    def address(self, typed: str) -> tuple[Channel, str]:
        """A phone number or an e-mail address as typed, in its normal form.

        Raises:
            InvalidInput: it is neither.
        """
        try:
            if "@" in typed:
                return "email", parse_email(typed)
            return "sms", parse_phone(typed, next(iter(self._clinics.values())).country)
        except AddressError as error:
            raise InvalidInput("address", error.code, str(error)) from None

    def send(self, channel: Channel, address: str) -> bool:
        """Send a link to an address, if it is that of somebody who agreed to hear from us by it.

        It is for the caller to answer the same either way, and before this is called: how long it
        takes differs. An address that is suppressed gets nothing: it may be a stranger who asks.

        Raises:
            StoreUnavailable: nothing was sent.
        """
        digest = self._suppressions.digest(channel, address)
        people = self._people(channel, digest)[:MOST_PEOPLE]
        if not people or not self._may_go(digest):
            return False
        contacts = [self._patients.contact(fields) for fields in people]
        return self._responses.queue(
            Response(
                channel=channel,
                to=address,
                clinic=contacts[0].clinic,
                message=MESSAGE,
                language=contacts[0].language,
                once=f"{MESSAGE}:{digest}:{self._machine.now_ms()}",
                values={"link": f"{self._base}/p/{self._access.token(people)}"},
            )
        )

    def _may_go(self, digest: str) -> bool:
        return all(
            self._limits.allow(f"page-link-{int(per_s)}", digest, most, per_s)
            for most, per_s in ADDRESS_LIMITS
        )

    def _people(self, channel: Channel, digest: str) -> list[PatientFields]:
        found = map(self._patients.find, sorted(self._suppressions.patients(digest)))
        return [each for each in found if each and LETTER[channel] in (each.text("h") or "")]
