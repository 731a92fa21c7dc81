"""What members sign in with first: their passwords, kept as encrypted argon2id hashes."""

from __future__ import annotations

from collections.abc import Mapping

from service.accounts.members import Member
from service.accounts.passwords import Passwords, require_good
from service.store.accounts import Account, AccountStore, Change


class Credentials:
    """Sets and checks passwords. Each takes a tenth of a second on purpose: keep it off loops."""

    def __init__(self, store: AccountStore, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    def is_right(self, account: Account | None, typed: str) -> bool:
        """Whether a password is an account's; as much work where there is no account.

        A hash of older parameters is replaced once the right password is known.
        """
        hashed = None if account is None else self._store.opened(account, "p")
        stored = None if hashed is None else hashed.decode()
        right = self._passwords.is_right(stored, typed)
        if right and account is not None and stored and self._passwords.is_dated(stored):
            self._store.change(
                account.member.id,
                Change(
                    what="password_rehashed",
                    by=account.member.source,
                    rests_on={"p": account.fields["p"]},
                    sets={"p": self._sealed(account.member, typed)},
                ),
            )
        return right

    def put(
        self,
        member: Member,
        password: str,
        *,
        by: str,
        reason: str,
        rests_on: Mapping[str, bytes] | None = None,
    ) -> bool:
        """Give a member a new password, end every session they have, and make links dead.

        Args:
            member: whose.
            password: as typed.
            by: who sets it, for the audit.
            reason: one word.
            rests_on: fields that must still be so.

        Returns:
            False where what it rests on is not so any more; nothing was changed.

        Raises:
            InvalidInput: it is too short, too long or soon guessed.
            NotFound: there is no such member.
            StoreUnavailable: it may not be set; ask again.
        """
        require_good(password, (member.name, member.email))
        change = Change(
            what="password_set",
            by=by,
            reason=reason,
            rests_on=rests_on or {},
            sets={"p": self._sealed(member, password)},
            removes=("q",),  # a link that somebody else may have asked for, or got hold of
            ends_sessions=True,
        )
        return self._store.change(member.id, change)

    def _sealed(self, member: Member, password: str) -> bytes:
        return self._store.sealed(member.id, "p", self._passwords.hash(password).encode())
