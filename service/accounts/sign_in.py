"""Sign-in: a password, then a code. Nothing tells whether an account exists, or is locked.

Each try checks one hash, whoever it is for, and is answered in the same words. Tries are limited
for each account and for each source; while they are, the right password is answered like a wrong
one, and the owner is told by e-mail. A browser that has signed in before has a limit of its own, so
that nobody locks a member out by typing wrong passwords from elsewhere (OWASP, "Slow Down Online
Guessing Attacks with Device Cookies").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from service.accounts.accounts import read_email
from service.accounts.credentials import Credentials
from service.accounts.members import Member
from service.accounts.notices import Notices
from service.accounts.second_factor import Proof, SecondFactor
from service.accounts.sessions import Sessions
from service.errors import InvalidInput
from service.store.accounts import Account, AccountStore, Change
from service.store.keyring import InvalidToken, KeyRing
from service.store.limits import Limits
from service.store.sessions import SessionStore, digest_of

WINDOW_S: Final = 900.0
ACCOUNT_MOST: Final = 10
"""Tries at one account's password in that time, wrong and right ones."""
SOURCE_MOST: Final = 60
"""Tries from one source: a clinic has one address for all its staff."""
CODE_MOST: Final = 5
"""Tries at the second factor in that time, by who has the password."""
TOLD_S: Final = 86_400.0
"""An owner is told of a lock at most once in that time."""
_DEVICE: Final = "staff-device"

Next = Literal["refused", "code", "enrol", "done"]
Shut = Literal["", "source", "locked"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of a sign-in came to.

    Attributes:
        next: ``refused``: try again, whatever the reason; ``code``: the second factor is asked for;
            ``enrol``: one has to be set up first; ``done``.
        token: for the cookie: of the session where it is ``done``, of the sign-in that was begun
            where a step is lacking.
        member: who signs in; None where it is refused.
        device: for a cookie that lasts: where it is ``done``, what tells this browser next time.
        told: whose account is locked by this try, to be told of it by `SignIn.tell`.
    """

    next: Next
    token: str = ""
    member: Member | None = None
    device: str = ""
    told: Account | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Where a try comes from.

    Attributes:
        source: keyed hash of the address.
        browser: its name, for the list of sessions.
        device: the cookie from an earlier sign-in, empty where there is none.
    """

    source: str
    browser: str = ""
    device: str = ""


class SignIn:
    """The use case behind the sign-in's pages.

    Args:
        required: whether nobody gets in without a second factor.
    """

    def __init__(
        self,
        store: AccountStore,
        begun: SessionStore,
        sessions: Sessions,
        credentials: Credentials,
        second_factor: SecondFactor,
        limits: Limits,
        keyring: KeyRing,
        notices: Notices,
        *,
        required: bool,
    ) -> None:
        self._store = store
        self._begun = begun
        self._sessions = sessions
        self._credentials = credentials
        self._second_factor = second_factor
        self._limits = limits
        self._keyring = keyring
        self._notices = notices
        self.required = required

    def password(self, typed_email: str, typed: str, asker: Asker) -> Step:
        """Take a password; what is asked for next.

        Raises:
            StoreUnavailable: nobody was let in.
        """
        email = _normal(typed_email)
        account = self._store.find_by_email(email)
        digest = self._store.digest(email)
        shut = self._shut(digest, account, asker)
        # Where the source is shut nothing is hashed: that tells of no account, and hashing is dear.
        right = shut != "source" and self._credentials.is_right(account, typed)
        if account is None or not right or shut or account.member.standing != "active":
            return self._refused(account, digest, asker, shut or "password")
        return self._go_on(account, asker)

    def proven(self, identifier: str, typed: str, asker: Asker) -> Account | None:
        """The account of a member who knows its password, before something grave; else None.

        Raises:
            StoreUnavailable: take it as not known.
        """
        account = self._store.load(identifier)
        digest = self._store.digest(account.member.email)
        shut = self._shut(digest, account, asker)
        if shut != "source" and self._credentials.is_right(account, typed) and not shut:
            return account
        self._refused(account, digest, asker, shut or "password")
        return None

    def _shut(self, digest: str, account: Account | None, asker: Asker) -> Shut:
        """What is shut after too many tries; this one is counted where nothing is."""
        if account is not None and self._knows(asker.device, account.member):
            # Others may have shut the account, or the address that all of a clinic share.
            known = digest_of(asker.device)
            return "" if self._allows("sign-in-device", known, ACCOUNT_MOST) else "locked"
        if not self._allows("sign-in-source", asker.source, SOURCE_MOST):
            return "source"  # the account's owner is not to be locked out by it
        return "" if self._allows("sign-in", digest, ACCOUNT_MOST) else "locked"

    def _allows(self, name: str, digest: str, most: int) -> bool:
        return self._limits.allow(name, digest, most, WINDOW_S)

    def _refused(self, account: Account | None, digest: str, asker: Asker, reason: str) -> Step:
        by, on = f"source:{asker.source}", digest if account is None else account.member.id
        if reason not in {"locked", "source"}:
            self._store.note("sign_in_failed", on=on, by=by, reason=reason)
            return Step("refused")
        # Once, so that whoever goes on and on fills neither the audit nor a mailbox.
        whose = digest if reason == "locked" else asker.source
        if not self._limits.allow(f"sign-in-told-{reason}", whose, 1, TOLD_S):
            return Step("refused")
        self._store.note("sign_in_failed", on=on, by=by, reason=reason)
        return Step("refused", told=account if reason == "locked" else None)

    def tell(self, step: Step) -> None:
        """Tell the owner of an account that was locked; call it for every step, off the request.

        Raises:
            StoreUnavailable: nobody was told.
        """
        if step.told is not None and step.told.member.standing == "active":
            self._notices.send(step.told.member, "staff-locked")

    def go_on(self, identifier: str, asker: Asker) -> Step:
        """What is asked for next of a member who has just set a password by a link."""
        return self._go_on(self._store.load(identifier), asker)

    def _go_on(self, account: Account, asker: Asker) -> Step:
        member = account.member
        if member.second_factor or self.required:
            token = self._begun.start(
                member.id, ended=account.ended, browser=asker.browser, kind="b"
            )
            return Step("code" if member.second_factor else "enrol", token, member)
        return self._done(account, asker, None)

    def lacking(self, token: str) -> Step:
        """What a sign-in that was begun lacks; ``refused`` where there is none any more."""
        account = self._account_of(token)
        if account is None:
            return Step("refused")
        return Step("code" if account.member.second_factor else "enrol", token, account.member)

    def code(self, token: str, typed: str, asker: Asker) -> Step:
        """Take a code, or a recovery code; each is good once.

        Raises:
            StoreUnavailable: nobody was let in.
        """
        account = self._account_of(token)
        if account is None:
            return Step("refused")
        member = account.member
        is_open = self._allows("second-factor", member.id, CODE_MOST)
        proof = self._second_factor.check(account, typed) if is_open else None
        done = None if proof is None else self._done(account, asker, proof)
        if done is None or done.next != "done":
            reason = "code" if is_open else "locked"
            told = self._refused(account, member.id, asker, reason).told
            return Step("code", token, member, told=told)
        self._begun.end(member.id, digest_of(token))
        return done

    def enrol(self, token: str, sealed: str, typed: str, asker: Asker) -> tuple[Step, list[str]]:
        """Set up a second factor in the middle of a sign-in; the recovery codes are told once.

        Raises:
            InvalidInput: ``code_wrong`` or ``proposal_old``.
            StoreUnavailable: it may not be set up.
        """
        account = self._account_of(token)
        if account is None or account.member.second_factor:
            return Step("refused"), []
        member = account.member
        codes = self._second_factor.confirm(account, sealed, typed, by=member.source)
        self._begun.end(member.id, digest_of(token))
        now = self._store.load(member.id)
        if now.ended != account.ended + 1:  # by more than by this
            return Step("refused"), []
        return self._done(now, asker, None, "second_factor_set"), codes

    def _account_of(self, token: str) -> Account | None:
        stored = self._begun.find(token, "b") if token else None
        account = None if stored is None else self._store.find(stored.member)
        if stored is None or account is None or account.ended != stored.ended:
            return None
        return account if account.member.standing == "active" else None

    def _done(
        self, account: Account, asker: Asker, proof: Proof | None, reason: str = "password"
    ) -> Step:
        """Let them in, where nobody else has used the same proof meanwhile.

        And where nothing has ended their sessions since they were read, such as another password:
        to check one takes a while, and who knows the old one alone is not to slip in by it.
        """
        member = account.member
        change = Change(
            what="signed_in",
            by=member.source,
            reason=proof.kind if proof else reason,
            rests_on={**account.since, **(proof.rests_on if proof else {})},
            sets={"a": self._store.now_ms(), **(proof.sets if proof else {})},
            removes=proof.removes if proof else (),
        )
        if not self._store.change(member.id, change):
            return Step("refused")
        token = self._sessions.start(member.id, asker.browser, ended=account.ended)
        return Step("done", token, member, device=self._device(member))

    def _device(self, member: Member) -> str:
        return self._keyring.seal_token(_DEVICE, member.id.encode())

    def _knows(self, device: str, member: Member) -> bool:
        try:
            return self._keyring.open_token(_DEVICE, device) == member.id.encode()
        except InvalidToken:
            return False


def _normal(typed: str) -> str:
    """An address in its normal form; what is none is an address that nobody has."""
    try:
        return read_email(typed)
    except InvalidInput:
        return f"none:{typed[:320].casefold()}"
