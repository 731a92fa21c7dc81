"""Find patients: the newest, by phone, mailbox or whole name, by id; of the clinics one may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from messages.addresses import AddressError, parse_email, parse_phone
from schedules.delivery import State
from service.clinics import Clinic
from service.errors import InvalidInput
from service.staff.paging import Pager
from service.store.history import HistoryEntry
from service.store.keys import is_patient_id
from service.store.patients import Patients
from service.store.records import Channel, Patient, PatientFields, Status
from service.store.suppressions import Suppressions

By = Literal["newest", "id", "phone", "email", "name"]
PAGE: Final = 25
MOST: Final = 100
"""Patients on a page at most."""
LONGEST: Final = 320
"""Letters of a search; no address is longer (RFC 3696)."""
_ORDER: Final = (
    Status.ACTIVE,
    Status.PAUSED,
    Status.PENDING,
    Status.UNREACHABLE,
    Status.OPTED_OUT,
    Status.COMPLETED,
    Status.MOVED,
)
_WENT: Final = frozenset(
    state.code
    for state in (State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.UNKNOWN)
)
_DIGITS: Final = 5
"""So many of them, and no letter: it is a phone number that was typed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A patient in a list.

    Attributes:
        last: the newest message that was sent to them or refused; None where there is none.
    """

    contact: Patient
    fields: PatientFields
    last: HistoryEntry | None

    @property
    def status(self) -> Status | None:
        """Of their subscriptions, the one that tells most; None where they have none."""
        stands = {each.status for each in self.fields.subscriptions()}
        return next((status for status in _ORDER if status in stands), None)


@dataclass(frozen=True, slots=True)
class People:
    """A page of patients.

    Attributes:
        by: how they were found.
        cursor: to ask for the next page with; empty where this is the last.
    """

    found: tuple[Found, ...]
    by: By
    cursor: str = ""


class Finding:
    """The use case behind the console's search and list, and the API's."""

    def __init__(
        self, patients: Patients, suppressions: Suppressions, clinics: Mapping[str, Clinic]
    ) -> None:
        self._patients = patients
        self._suppressions = suppressions
        self._clinics = clinics

    def newest(self, clinics: Collection[str] = (), cursor: str = "", size: int = PAGE) -> People:
        """Everybody of some clinics, who was enrolled last first.

        Args:
            clinics: ids of those that may be seen; empty for every one.
            cursor: of the page before; one that is not ours begins anew.
            size: patients on the page.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        directory = self._patients.directory
        lists = [directory.clinic(clinic) for clinic in self._seen(clinics)]
        page = Pager(self._patients, lists, lambda listed, who: listed in directory.lists_of(who))
        return self._page(page, "newest", cursor, size)

    def search(
        self, text: str, clinics: Collection[str] = (), cursor: str = "", size: int = PAGE
    ) -> People:
        """Patients by what was typed: an id, a mailbox, a phone number or a whole name.

        Args:
            text: as typed; a name is found whatever its case, accents and spaces.
            clinics: as for `newest`; phones without a country code are of these clinics' countries.
            cursor: of the page before.
            size: patients on the page; those of one address are all on one.

        Raises:
            InvalidInput: nothing was typed, or an address that can be none.
            StoreUnavailable: the store did not answer.
        """
        text = text.strip()
        if not text or len(text) > LONGEST:
            raise InvalidInput("query", "query_missing", "Give a phone, an e-mail or a name.")
        if is_patient_id(text.lower()):
            found = self._those([text.lower()], clinics, lambda _: True)
            if found:
                return People(found, "id")
        if "@" in text:
            return People(self._at("email", [_mailbox(text)], clinics), "email")
        if _is_phone(text):
            return People(self._at("sms", self._numbers(text, clinics), clinics), "phone")
        return self.named(text, clinics, cursor, size)

    def named(
        self, name: str, clinics: Collection[str] = (), cursor: str = "", size: int = PAGE
    ) -> People:
        """Patients of a whole name; see `search`."""
        directory = self._patients.directory
        lists = [directory.named(clinic, name) for clinic in self._seen(clinics)]
        page = Pager(self._patients, lists, lambda listed, who: listed in directory.lists_of(who))
        return self._page(page, "name", cursor, size)

    def _seen(self, clinics: Collection[str]) -> list[str]:
        return sorted(set(clinics) & set(self._clinics) if clinics else self._clinics)

    def _page(self, page: Pager, by: By, cursor: str, size: int) -> People:
        found, rest = page.page(cursor, max(1, min(size, MOST)))
        return People(self._told(found), by, rest)

    def _told(self, people: Sequence[tuple[Patient, PatientFields]]) -> tuple[Found, ...]:
        histories = self._patients.histories([contact.id for contact, _ in people])
        return tuple(
            Found(contact, fields, _last(history))
            for (contact, fields), history in zip(people, histories, strict=True)
        )

    def _numbers(self, text: str, clinics: Collection[str]) -> list[str]:
        """What was typed as a number of each country that a clinic is in."""
        numbers: dict[str, None] = {}
        refused: AddressError | None = None
        for country in sorted({self._clinics[each].country for each in self._seen(clinics)}):
            try:
                numbers[parse_phone(text, country)] = None
            except AddressError as error:
                refused = error
        if refused and not numbers:
            raise InvalidInput("query", refused.code, str(refused))
        return list(numbers)

    def _at(
        self, channel: Channel, addresses: Sequence[str], clinics: Collection[str]
    ) -> tuple[Found, ...]:
        ids = {
            identifier
            for address in addresses
            for identifier in self._suppressions.patients(
                self._suppressions.digest(channel, address)
            )
        }
        return self._those(sorted(ids), clinics, lambda who: who.address(channel) in addresses)

    def _those(
        self, ids: Sequence[str], clinics: Collection[str], keep: Callable[[Patient], bool]
    ) -> tuple[Found, ...]:
        """Those of some ids who are there, may be seen, and are the ones that are meant."""
        people = [
            (contact, fields)
            for fields in self._patients.load_many(ids)
            if fields.exists
            and keep(contact := self._patients.contact(fields))
            and (not clinics or contact.clinic in clinics)
        ]
        people.sort(key=lambda one: -one[1].enrolled_ms)
        return self._told(people)


def _last(history: Sequence[HistoryEntry]) -> HistoryEntry | None:
    went = [entry for entry in history if entry.state in _WENT]
    return max(went, key=lambda entry: (entry.at_ms, entry.index), default=None)


def _mailbox(text: str) -> str:
    try:
        return parse_email(text)
    except AddressError as error:
        raise InvalidInput("query", error.code, str(error)) from None


def _is_phone(text: str) -> bool:
    return not re.search(r"[^\W\d_]", text) and sum(map(str.isdigit, text)) >= _DIGITS
