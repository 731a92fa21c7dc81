"""Invite members, and let them choose a password by a link, first or anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from service.accounts.accounts import Accounts, read_email
from service.accounts.credentials import Credentials
from service.accounts.links import Links, Opened, Purpose
from service.accounts.members import Member
from service.accounts.notices import About, Notices
from service.accounts.roles import Role
from service.errors import AftervisitError, InvalidInput
from service.store.accounts import AccountStore
from service.store.limits import Limits

ADDRESS_LIMITS: Final = ((3, 3600.0), (6, 86_400.0))
"""Links to one mailbox that anybody may ask for: it is not to be flooded."""
SOURCE_MOST, SOURCE_S = 20, 600.0
"""Links that one source may ask for: a clinic's own network asks for less."""
REFUSED_MOST, REFUSED_S = 5, 86_400.0
"""Invitations of one administrator to who is a member elsewhere: nobody mistypes more in a day."""
_REFUSED: Final = "staff-invite-refused"


class LinkDead(AftervisitError):
    """A link was used, replaced by a newer one, or is too old."""

    def __init__(self) -> None:
        super().__init__("This link does not work any more. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Sent:
    """A link that was made.

    Attributes:
        link: the whole of it; whoever has it can choose the member's password.
        mailed: whether it is on its way by e-mail. Where it is not, somebody has to hand it over.
    """

    member: Member
    link: str
    mailed: bool


class Invitations:
    """The use cases behind the links."""

    def __init__(
        self,
        accounts: Accounts,
        store: AccountStore,
        credentials: Credentials,
        links: Links,
        notices: Notices,
        limits: Limits,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._credentials = credentials
        self._links = links
        self._notices = notices
        self._limits = limits

    def invite(
        self,
        *,
        email: str,
        name: str,
        role: Role | str,
        clinics: Iterable[str] = (),
        language: str = "en",
        source: str,
        inviter: Member | None = None,
    ) -> Sent:
        """Enter a member and send them a link that lets them choose a password, for 72 hours.

        Args:
            email: as typed, as is all else of them.
            name: as in `Accounts.create`, as is all else.
            role: what they may.
            clinics: ids of those that they see; none: every clinic.
            language: of the console for them.
            source: who invites them, for the audit.
            inviter: the administrator who does; None for who sees every clinic.

        Raises:
            InvalidInput: what cannot be used and why, such as ``email_taken``.
            StoreUnavailable: they may not be entered; ask again.
        """
        if inviter is not None and not self._limits.would_allow(*_refusals_of(inviter)):
            raise _too_many()
        try:
            member = self._accounts.create(
                email=email, name=name, role=role, clinics=clinics, language=language, source=source
            )
        except InvalidInput as fault:
            if inviter is None or fault.code != "email_taken":
                raise
            raise self._taken(fault, email, inviter) from None
        return self._send(member, "invite", source)

    def _taken(self, fault: InvalidInput, email: str, inviter: Member) -> InvalidInput:
        """What to tell an administrator of an address that is a member's.

        Of one of another clinic they are told too, since there is no other way to say why nobody
        was invited. The audit of that member's clinics has it, and it ends after a few.
        """
        account = self._store.find_by_email(read_email(email))
        if account is None or inviter.oversees(account.member.clinics):
            return fault
        whose = account.member.id
        self._store.note("invite_refused", on=whose, by=inviter.source, reason="email_taken")
        if not self._limits.allow(*_refusals_of(inviter)):
            return _too_many()
        return InvalidInput(
            "email",
            "email_taken_elsewhere",
            "A member of staff has that e-mail address already, and not in your clinics alone. "
            "Ask an administrator of every clinic to add yours.",
        )

    def send_again(self, identifier: str, *, source: str) -> Sent:
        """Send a member a new link: another invitation, or one to choose a new password.

        Raises:
            InvalidInput: ``disabled``: they may not sign in.
            NotFound: there is no such member.
        """
        member = self._accounts.load(identifier)
        if member.standing == "disabled":
            raise InvalidInput("member", "disabled", "This member is disabled. Enable them first.")
        return self._send(member, _fitting(member), source)

    def may_ask(self, source: str) -> bool:
        """Whether a source (by its keyed hash) has not asked too often lately; it is counted."""
        return self._limits.allow("staff-link-source", source, SOURCE_MOST, SOURCE_S)

    def ask(self, typed: str) -> None:
        """Send whoever has this address a link to choose a new password, where anybody has.

        Who has not chosen a first one is invited anew: a link for an hour alone would take the
        place of the one that they have for three days.

        It is for the caller to answer the same either way, and before this is called: how long it
        takes differs.

        Raises:
            StoreUnavailable: nothing was sent.
        """
        try:
            email = read_email(typed)
        except InvalidInput:
            return
        account = self._store.find_by_email(email)
        if account is None or account.member.standing == "disabled":
            return
        digest = self._store.digest(email)
        allowed = [
            self._limits.allow(f"staff-link-{int(per_s)}", digest, most, per_s)
            for most, per_s in ADDRESS_LIMITS
        ]
        if all(allowed):
            self._send(account.member, _fitting(account.member), "console")

    def _send(self, member: Member, purpose: Purpose, source: str) -> Sent:
        token = self._links.make(member.id, purpose, by=source)
        link = self._notices.link(token, purpose)
        about: About = "staff-invite" if purpose == "invite" else "staff-reset"
        return Sent(member, link, self._notices.send(member, about, link=link))

    def open(self, token: str) -> Opened:
        """Whose link it is, before anything is done with it; changes nothing.

        Raises:
            LinkDead: it was used, replaced, or is too old.
        """
        opened = self._links.open(token)
        if opened is None:
            raise LinkDead
        return opened

    def choose_password(self, token: str, password: str) -> Member:
        """Set the password that a link lets its member choose; the link is used by that.

        Every session of theirs is over. A second factor, where they have one, stays.

        Raises:
            InvalidInput: the password is not good enough; the link goes on working.
            LinkDead: it was used, replaced, or is too old.
            StoreUnavailable: it may not be set; try again.
        """
        opened = self.open(token)
        member = opened.account.member
        done = self._credentials.put(
            member,
            password,
            by=member.source,
            reason=opened.purpose,
            rests_on={"q": opened.field},
        )
        if not done:
            raise LinkDead
        if opened.purpose == "reset":
            self._notices.send(member, "staff-changed")
        return self._accounts.load(member.id)


def _refusals_of(inviter: Member) -> tuple[str, str, int, float]:
    return _REFUSED, inviter.id, REFUSED_MOST, REFUSED_S


def _too_many() -> InvalidInput:
    return InvalidInput(
        "email",
        "invitations_many",
        "Too many of your invitations went to members of other clinics. Try again tomorrow, or ask "
        "an administrator of every clinic.",
    )


def _fitting(member: Member) -> Purpose:
    return "invite" if member.standing == "invited" else "reset"
