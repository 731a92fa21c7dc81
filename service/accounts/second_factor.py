"""The second factor: codes of an app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code is good once: the number of the last one that was taken stands in the store, and only a later
one is taken. Recovery codes have 120 random bits, so that a keyed hash keeps them (OWASP ASVS 5.0,
6.5.2).
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyotp

from service.accounts.members import Member
from service.accounts.notices import Notices
from service.clock import MachineClock
from service.errors import InvalidInput
from service.store.accounts import CODES, Account, AccountStore, Change
from service.store.keyring import Index, InvalidToken, KeyRing
from service.store.keys import ALPHABET, RandomBytes, letters
from service.store.scripts import Argument

ISSUER: Final = "Aftervisit"
STEP_MS: Final = 30_000
SKEW: Final = 1
"""Steps by which a phone's clock may be off, either way."""
RECOVERY_CODES: Final = 10
RECOVERY_LETTERS: Final = 24
GROUP: Final = 4
SECRET_BYTES: Final = 20
"""160 bits (RFC 4226, section 4)."""
PROPOSED_MS: Final = 3_600_000
"""How long a proposed secret may be confirmed."""
_PURPOSE: Final = "second-factor"
_READ: Final = str.maketrans("oil", "011")
"""Crockford's base 32: what a reader may take for a digit is that digit."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret that is not the member's until a code of it has come back.

    Attributes:
        secret: in base 32, to be typed into an app.
        uri: the same for a QR code.
        sealed: the same for the form, which brings it back; nothing is stored meanwhile.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    sealed: str = field(repr=False)

    @property
    def groups(self) -> str:
        """The secret as it is read and typed: four letters at a time."""
        return _grouped(self.secret, " ")


@dataclass(frozen=True, slots=True)
class Proof:
    """A code that is right, and what has to change in the same step for it to be used up.

    Attributes:
        kind: ``code`` or ``recovery_code``.
    """

    kind: str
    rests_on: Mapping[str, bytes]
    sets: Mapping[str, Argument]
    removes: Sequence[str]


class SecondFactor:
    """Sets it up, checks codes, and takes it away."""

    def __init__(
        self,
        store: AccountStore,
        keyring: KeyRing,
        index: Index,
        clock: MachineClock,
        random: RandomBytes,
        notices: Notices,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._index = index
        self._clock = clock
        self._random = random
        self._notices = notices

    def propose(self, member: Member) -> Proposal:
        """A new secret for a member to put into their app; changes nothing."""
        secret = base64.b32encode(self._random(SECRET_BYTES)).decode()
        until_ms = self._clock.now_ms() + PROPOSED_MS
        sealed = self._keyring.seal_token(_PURPOSE, f"{member.id}:{until_ms}:{secret}".encode())
        return self._proposal(member, secret, sealed)

    def proposed(self, member: Member, sealed: str) -> Proposal:
        """The proposal that a form has brought back, to be shown once more.

        Raises:
            InvalidInput: ``proposal_old``: it was made for somebody else, or too long ago.
        """
        return self._proposal(member, self._secret_of(member, sealed), sealed)

    def _proposal(self, member: Member, secret: str, sealed: str) -> Proposal:
        uri = pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name=ISSUER)
        return Proposal(secret, uri, sealed)

    def _secret_of(self, member: Member, sealed: str) -> str:
        try:
            told = self._keyring.open_token(_PURPOSE, sealed).decode()
        except InvalidToken:
            told = "::"
        identifier, until_ms, secret = told.split(":")
        if identifier != member.id or self._clock.now_ms() >= int(until_ms):
            raise _too_old()
        return secret

    def confirm(self, account: Account, sealed: str, typed: str, *, by: str) -> list[str]:
        """Set it up, now that a code shows that the app has the secret; ends every session.

        The member is told by e-mail.

        Args:
            account: as it was when its owner proved who they are.
            sealed: of the proposal.
            typed: the code.
            by: who sets it up, for the audit.

        Returns:
            New recovery codes, told once.

        Raises:
            InvalidInput: ``code_wrong``, or ``proposal_old``, also where their sessions were ended
                meanwhile; nothing was changed.
            StoreUnavailable: it may not be set up; try again.
        """
        member = account.member
        secret = self._secret_of(member, sealed)
        taken = self._step_of(secret, typed)
        if taken is None:
            raise InvalidInput("code", "code_wrong", "This code is not right. Try the next one.")
        codes, fields = self._new_codes(member)
        stored = self._store.sealed(member.id, "t", secret.encode())
        change = Change(
            what="second_factor_set",
            by=by,
            rests_on=account.since,
            sets={"t": stored, "n": taken, **fields},
            removes=(CODES,),
            ends_sessions=True,
        )
        if not self._store.change(member.id, change):
            raise _too_old()
        self._notices.send(member, "staff-changed")
        return codes

    def renew_codes(self, account: Account, *, by: str) -> list[str] | None:
        """New recovery codes in place of those that are left, told once.

        Returns:
            None where the member's sessions were ended since the account was read.

        Raises:
            InvalidInput: ``no_second_factor``.
        """
        if not account.member.second_factor:
            raise InvalidInput("code", "no_second_factor", "Set up a second factor first.")
        codes, fields = self._new_codes(account.member)
        change = Change(
            what="recovery_codes_made",
            by=by,
            rests_on=account.since,
            sets=fields,
            removes=(CODES,),
        )
        return codes if self._store.change(account.member.id, change) else None

    def remove(self, member: Member, *, by: str, account: Account | None = None) -> bool:
        """Take it away with its recovery codes, and end every session; they are told by e-mail.

        Args:
            member: whose it is.
            by: who takes it away, for the audit.
            account: as it was when they themselves proved who they are, where they do it.

        Returns:
            False where their sessions were ended since the account was read.
        """
        change = Change(
            what="second_factor_removed",
            by=by,
            rests_on=account.since if account else {},
            removes=("t", "n", CODES),
            ends_sessions=True,
        )
        done = self._store.change(member.id, change)
        if done:
            self._notices.send(member, "staff-changed")
        return done

    def codes_left(self, identifier: str) -> int:
        """How many recovery codes a member has not used."""
        fields = self._store.load(identifier).fields
        return sum(name.startswith(CODES[0]) for name in fields)

    def check(self, account: Account, typed: str) -> Proof | None:
        """What proves a code right, None where it is wrong or was used; it is not used up yet.

        Make the `Change` that the proof asks for: only whose change is made has used the code.
        """
        secret = self._store.opened(account, "t")
        if secret is None:
            return None
        step = self._step_of(secret.decode(), typed)
        if step is not None and step > (account.number("n") or 0):
            return Proof("code", {"n": account.fields.get("n", b"")}, {"n": step}, ())
        name = self._field_of(account.member, typed)
        if name in account.fields:
            return Proof("recovery_code", {name: account.fields[name]}, {}, (name,))
        return None

    def _step_of(self, secret: str, typed: str) -> int | None:
        digits = re.sub(r"[\s-]", "", typed)
        totp, now = pyotp.TOTP(secret), self._clock.now_ms() // STEP_MS
        found = None
        for step in range(now - SKEW, now + SKEW + 1):
            if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
                found = step
        return found

    def _new_codes(self, member: Member) -> tuple[list[str], dict[str, Argument]]:
        codes = [letters(self._random(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
        fields: dict[str, Argument] = {self._field_of(member, code): 1 for code in codes}
        return [_grouped(code) for code in codes], fields

    def _field_of(self, member: Member, code: str) -> str:
        normal = code.lower().translate(_READ)
        kept = "".join(letter for letter in normal if letter in ALPHABET)
        return CODES[0] + self._index.digest("recovery", f"{member.id}:{kept}")


def _too_old() -> InvalidInput:
    return InvalidInput("code", "proposal_old", "This took too long. Start again.")


def _grouped(code: str, between: str = "-") -> str:
    return between.join(code[at : at + GROUP] for at in range(0, len(code), GROUP))
