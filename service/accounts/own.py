"""What members change of their own accounts, each after they have shown that it is them.

Whatever changes how they sign in ends all their sessions, and starts a new one for the browser that
they are at (OWASP ASVS 5.0, 7.2.4 and 7.4.3). It rests on nothing else having ended them meanwhile:
of two who change an account at once, the one who knows the old password alone has no last word.
"""

from __future__ import annotations

from service.accounts.credentials import Credentials
from service.accounts.members import Member
from service.accounts.notices import Notices
from service.accounts.second_factor import SecondFactor
from service.accounts.sessions import Sessions
from service.accounts.sign_in import Asker, SignIn
from service.errors import InvalidInput
from service.store.accounts import Account


class OwnAccount:
    """The use cases behind a member's own page."""

    def __init__(
        self,
        sign_in: SignIn,
        credentials: Credentials,
        second_factor: SecondFactor,
        sessions: Sessions,
        notices: Notices,
    ) -> None:
        self._sign_in = sign_in
        self._credentials = credentials
        self._second_factor = second_factor
        self._sessions = sessions
        self._notices = notices

    def change_password(self, member: Member, current: str, new: str, asker: Asker) -> str:
        """Choose another password; the token of a new session.

        Raises:
            InvalidInput: ``password_wrong``, or the new one is not good enough.
            StoreUnavailable: it may not be set; try again.
        """
        account = self._proven(member, current, asker)
        if not self._credentials.put(
            member, new, by=member.source, reason="changed", rests_on=account.since
        ):
            raise _wrong()
        self._notices.send(member, "staff-changed")
        return self._renewed(account, asker)

    def set_second_factor(
        self, member: Member, current: str, sealed: str, code: str, asker: Asker
    ) -> tuple[str, list[str]]:
        """Set up a second factor, or another one; the token of a new session, and recovery codes.

        Raises:
            InvalidInput: ``password_wrong``, ``code_wrong`` or ``proposal_old``.
            StoreUnavailable: it may not be set up; try again.
        """
        account = self._proven(member, current, asker)
        codes = self._second_factor.confirm(account, sealed, code, by=member.source)
        return self._renewed(account, asker), codes

    def remove_second_factor(self, member: Member, current: str, asker: Asker) -> str:
        """Do without one, where that is allowed; the token of a new session.

        Raises:
            InvalidInput: ``password_wrong``, or ``second_factor_required``.
            StoreUnavailable: it may not be removed; try again.
        """
        if self._sign_in.required:
            raise InvalidInput(
                "current", "second_factor_required", "A second factor is required here."
            )
        account = self._proven(member, current, asker)
        if not self._second_factor.remove(member, by=member.source, account=account):
            raise _wrong()
        return self._renewed(account, asker)

    def renew_codes(self, member: Member, current: str, asker: Asker) -> list[str]:
        """New recovery codes in place of the old ones, told once.

        Raises:
            InvalidInput: ``password_wrong`` or ``no_second_factor``.
            StoreUnavailable: there may be none; try again.
        """
        account = self._proven(member, current, asker)
        codes = self._second_factor.renew_codes(account, by=member.source)
        if codes is None:
            raise _wrong()
        return codes

    def _proven(self, member: Member, current: str, asker: Asker) -> Account:
        account = self._sign_in.proven(member.id, current, asker)
        if account is None:
            raise _wrong()
        return account

    def _renewed(self, account: Account, asker: Asker) -> str:
        """A session in place of those that the change has just ended."""
        return self._sessions.start(account.member.id, asker.browser, ended=account.ended + 1)


def _wrong() -> InvalidInput:
    return InvalidInput("current", "password_wrong", "This is not your password.")
