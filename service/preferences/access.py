"""Who may see which page: whoever has a link that is still good, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.clock import BusinessClock
from service.preferences.links import Link, holds, link_to, seal, unseal
from service.store.changes import PatientChanges
from service.store.keyring import InvalidToken, KeyRing
from service.store.patients import Patients
from service.store.records import PatientFields

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Access:
    """What a link that was opened gives access to.

    Attributes:
        link: what its token said.
        people: the records of those whose page it opens; one, or several who share an address.
    """

    link: Link
    people: tuple[PatientFields, ...]


class PageAccess:
    """Opens links and ends them."""

    def __init__(
        self,
        patients: Patients,
        changes: PatientChanges,
        keyring: KeyRing,
        business: BusinessClock,
        valid_days: float,
    ) -> None:
        self._patients = patients
        self._changes = changes
        self._keyring = keyring
        self._business = business
        self._valid_ms = int(valid_days * _DAY_MS)

    def open(self, token: str) -> Access:
        """Whom a link leads to.

        Raises:
            InvalidToken: it never was one, has expired, or was ended; these are told apart nowhere.
            StoreUnavailable: it cannot be said now.
        """
        link = unseal(self._keyring, token, self._business.now_ms(), self._valid_ms)
        found = (self._patients.find(identifier) for identifier, _ in link.people)
        people = tuple(
            fields for fields in found if fields and holds(link, fields.id, fields.links_ended)
        )
        if not people:
            raise InvalidToken
        return Access(link, people)

    def only(self, token: str) -> PatientFields:
        """The one person a link leads to.

        Raises:
            InvalidToken: as in `open`, or it leads to several.
        """
        (person, *others) = self.open(token).people
        if others:
            raise InvalidToken
        return person

    def expires_ms(self, access: Access) -> int:
        """When a link that was opened will open no more, business ms UTC."""
        return access.link.made_ms + self._valid_ms

    def token_for(self, access: Access, identifier: str) -> str:
        """The token of one of several people; it expires when theirs does."""
        return seal(self._keyring, access.link.alone(identifier))

    def token(self, people: Sequence[PatientFields]) -> str:
        """A new token for the page of one person, or of several who share an address."""
        ended = [(fields.id, fields.links_ended) for fields in people]
        return seal(self._keyring, link_to(ended, self._business.now_ms()))

    def renewed(self, identifier: str, *, source: str) -> str:
        """End all links to somebody's page, and give out a new one: its token.

        Raises:
            NotFound: there is no such patient.
        """
        count = self._changes.end_links(identifier, source=source)
        return seal(self._keyring, link_to([(identifier, count)], self._business.now_ms()))
