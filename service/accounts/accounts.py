"""Accounts of staff: enter, look up, change what they may, disable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from messages.addresses import AddressError, parse_email
from service.accounts.credentials import Credentials
from service.accounts.members import LANGUAGES, Member
from service.accounts.passwords import require_good
from service.accounts.roles import Right, Role
from service.clinics import Clinic
from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.store.accounts import Account, AccountStore, Change

LONGEST_NAME: Final = 80
TRIES: Final = 5

_Changed = Callable[[Account], tuple[Member, Change] | None]
"""From an account as read to what it is to be; None where nothing is to change."""


class Accounts:
    """The use cases about who is a member of staff."""

    def __init__(
        self, store: AccountStore, credentials: Credentials, clinics: Mapping[str, Clinic]
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._clinics = clinics

    def create(
        self,
        *,
        email: str,
        name: str,
        role: Role | str,
        clinics: Iterable[str] = (),
        language: str = "en",
        password: str | None = None,
        source: str,
    ) -> Member:
        """Enter a member of staff.

        Args:
            email: as typed.
            name: as typed; shown to other members.
            role: what they may.
            clinics: ids of those that they see; none: every clinic.
            language: of the console for them.
            password: None: they are invited to choose one themselves.
            source: who enters them, for the audit.

        Raises:
            InvalidInput: what cannot be used and why, such as ``email_taken``.
            StoreUnavailable: they may not be entered; ask again.
        """
        member = Member(
            id="",
            email=read_email(email),
            name=read_name(name),
            role=read_role(role),
            clinics=self._read_clinics(clinics),
            language=read_language(language),
        )
        if password is not None:
            require_good(password, (member.name, member.email))
        identifier = self._store.create(member, by=source)
        if identifier is None:
            raise InvalidInput(
                "email", "email_taken", "A member of staff has that e-mail address already."
            )
        entered = self.load(identifier)
        if password is not None:
            self._credentials.put(entered, password, by=source, reason="created")
        return self.load(identifier)

    def load(self, identifier: str) -> Member:
        """A member by their id.

        Raises:
            NotFound: there is none.
        """
        return self._store.load(identifier).member

    def find(self, identifier: str) -> Member | None:
        """The same, None where there is none."""
        account = self._store.find(identifier)
        return None if account is None else account.member

    def find_by_email(self, email: str) -> Member:
        """A member by their address, as typed.

        Raises:
            InvalidInput: it is no address.
            NotFound: nobody has it.
        """
        account = self._store.find_by_email(read_email(email))
        if account is None:
            raise NotFound("No member of staff has that e-mail address.")
        return account.member

    def all(self) -> list[Member]:
        """Every member, in the order of names, disabled ones too."""
        return [account.member for account in self._store.all()]

    def has_admin(self) -> bool:
        """Whether somebody can sign in who may invite others."""
        return any(_administers(each) for each in self.all())

    def change_access(
        self, identifier: str, *, role: Role | str, clinics: Iterable[str], source: str
    ) -> Member:
        """Give a member another role or other clinics; they have to sign in again.

        Raises:
            InvalidInput: what cannot be used and why; ``last_admin`` where nobody could administer
                any more.
            NotFound: there is no such member.
        """
        new_role, seen = read_role(role), self._read_clinics(clinics)

        def changed(account: Account) -> tuple[Member, Change] | None:
            known = account.member
            member = replace(known, role=new_role, clinics=seen)
            if member == known:
                return None
            other = self._another_admin(known) if new_role is not Role.ADMIN else None
            told = f"{known.role},{new_role}" if new_role is not known.role else "clinics"
            change = Change(
                what="access_changed",
                by=source,
                reason=told,
                while_stands=other,
                ends_sessions=True,
            )
            return member, change

        return self._amend(identifier, changed)

    def change_language(self, identifier: str, language: str, *, source: str) -> Member:
        """Show a member the console in another language.

        Raises:
            InvalidInput: it is not one of the console's.
            NotFound: there is no such member.
        """
        wanted = read_language(language)

        def changed(account: Account) -> tuple[Member, Change] | None:
            if account.member.language == wanted:
                return None
            change = Change(what="language_changed", by=source)
            return replace(account.member, language=wanted), change

        return self._amend(identifier, changed)

    def disable(self, identifier: str, *, source: str) -> Member:
        """Let a member sign in no more, end their sessions, and make links to them dead.

        Raises:
            InvalidInput: ``last_admin`` where nobody could administer any more.
            NotFound: there is no such member.
        """

        def changed(account: Account) -> tuple[Member, Change] | None:
            if account.member.standing == "disabled":
                return None
            change = Change(
                what="member_disabled",
                by=source,
                while_stands=self._another_admin(account.member),
                sets={"d": self._store.now_ms()},
                removes=("q",),
                ends_sessions=True,
            )
            return account.member, change

        return self._amend(identifier, changed)

    def enable(self, identifier: str, *, source: str) -> Member:
        """Let a member sign in again, with the password and second factor that they had.

        Raises:
            NotFound: there is no such member.
        """

        def changed(account: Account) -> tuple[Member, Change] | None:
            if account.member.standing != "disabled":
                return None
            return account.member, Change(what="member_enabled", by=source, removes=("d",))

        return self._amend(identifier, changed)

    def _amend(self, identifier: str, changed: _Changed) -> Member:
        for _ in range(TRIES):
            account = self._store.load(identifier)
            wanted = changed(account)
            if wanted is None:
                return account.member
            if self._store.amend(account, *wanted):
                return self.load(identifier)
        raise StoreUnavailable("Others are changing the same account. Try again.")

    def _another_admin(self, member: Member) -> Account | None:
        """Who is left to administer; None where this member does not, and so nobody is needed.

        The change rests on that one: two who take the right from each other at the same instant
        would both find the other one still has it.

        Raises:
            InvalidInput: ``last_admin``.
        """
        if not _administers(member):
            return None
        for other in self._store.all():
            if other.member.id != member.id and _administers(other.member):
                return other
        raise InvalidInput(
            "role",
            "last_admin",
            "This is the only administrator. Make somebody else one first.",
        )

    def _read_clinics(self, clinics: Iterable[str]) -> tuple[str, ...]:
        wanted = tuple(sorted({clinic.strip() for clinic in clinics} - {""}))
        if not set(wanted) <= self._clinics.keys():
            known = ", ".join(sorted(self._clinics))
            raise InvalidInput("clinics", "clinic_unknown", f"No such clinic. Known: {known}.")
        return wanted


def _administers(member: Member) -> bool:
    return member.may(Right.ADMINISTER)


def read_email(typed: str) -> str:
    """An address in its normal form.

    Raises:
        InvalidInput: it is none; the code says in which way.
    """
    try:
        return parse_email(typed)
    except AddressError as error:
        raise InvalidInput("email", error.code, str(error)) from None


def read_name(typed: str) -> str:
    """A member's name, on one line.

    Raises:
        InvalidInput: it is empty, too long, or has characters that cannot be shown.
    """
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name", "name", f"Give a name of 1 to {LONGEST_NAME} characters.")
    return name


def read_role(typed: Role | str) -> Role:
    """A role by its name.

    Raises:
        InvalidInput: there is no such role.
    """
    try:
        return Role(typed)
    except ValueError:
        known = ", ".join(Role)
        raise InvalidInput("role", "role_unknown", f"No such role. Known: {known}.") from None


def read_language(typed: str) -> str:
    """One of the console's languages.

    Raises:
        InvalidInput: it is not.
    """
    if typed not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InvalidInput("language", "console_language", f"No such language. Known: {known}.")
    return typed
