"""What members change of their own accounts, each after they have shown that it is them.

Whatever changes how they sign in ends all their sessions, and starts a new one for the browser that
they are at (OWASP ASVS 5.0, 7.2.4 and 7.4.3).
"""

from __future__ import annotations

from service.accounts.credentials import Credentials
from service.accounts.members import Member
from service.accounts.notices import Notices
from service.accounts.second_factor import SecondFactor
from service.accounts.sessions import Sessions
from service.accounts.sign_in import Asker, SignIn
from service.errors import InvalidInput


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
        self._require(member, current, asker)
        self._credentials.put(member, new, by=member.source, reason="changed")
        self._notices.send(member, "staff-changed")
        return self._sessions.start(member.id, asker.browser)

    def set_second_factor(
        self, member: Member, current: str, sealed: str, code: str, asker: Asker
    ) -> tuple[str, list[str]]:
        """Set up a second factor, or another one; the token of a new session, and recovery codes.

        Raises:
            InvalidInput: ``password_wrong``, ``code_wrong`` or ``proposal_old``.
            StoreUnavailable: it may not be set up; try again.
        """
        self._require(member, current, asker)
        codes = self._second_factor.confirm(member, sealed, code, by=member.source)
        return self._sessions.start(member.id, asker.browser), codes

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
        self._require(member, current, asker)
        self._second_factor.remove(member, by=member.source)
        return self._sessions.start(member.id, asker.browser)

    def renew_codes(self, member: Member, current: str, asker: Asker) -> list[str]:
        """New recovery codes in place of the old ones, told once.

        Raises:
            InvalidInput: ``password_wrong`` or ``no_second_factor``.
            StoreUnavailable: there may be none; try again.
        """
        self._require(member, current, asker)
        return self._second_factor.renew_codes(member, by=member.source)

    def _require(self, member: Member, current: str, asker: Asker) -> None:
        if not self._sign_in.is_them(member.id, current, asker):
            raise InvalidInput("current", "password_wrong", "This is not your password.")
