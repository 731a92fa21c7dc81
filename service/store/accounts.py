"""Accounts of staff in the store: one hash a member, all in one slot (``keys.StaffKeys``).

Its fields: ``c`` who they are and what they may, encrypted; ``p`` hash of the password, encrypted;
``t`` secret of the second factor, encrypted; ``n`` number of the last code of it that was taken;
``k<digest>`` a recovery code that was not used yet; ``q`` the link that was sent last
(``purpose|digest|until when, machine ms``); ``e`` how often all sessions were ended; ``d`` since
when they are disabled, ``i`` when they were entered, ``a`` when they last signed in, business ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import redis

from service.accounts.members import Member, Standing
from service.accounts.roles import Role
from service.clock import BusinessClock
from service.errors import NotFound
from service.store.connection import store_errors
from service.store.keyring import Index, KeyRing
from service.store.keys import (
    MEMBER_RANDOM,
    RandomBytes,
    StaffKeys,
    is_member_id,
    new_member_id,
)
from service.store.scripts import Argument, Scripts, as_bytes, as_text

SEALED: Final = ("c", "p", "t")
"""Fields that are encrypted."""
STANDING: Final = ("c", "p", "d")
"""Fields that tell what a member may do now."""
CODES: Final = "k*"
"""Among fields to remove: all recovery codes."""
NOBODY: Final = "0" * MEMBER_RANDOM
"""A member's id that is nobody's."""
_PROFILE: Final = ("email", "name", "role", "clinics", "language")


@dataclass(frozen=True, slots=True)
class Account:
    """What is on record of a member.

    Attributes:
        fields: as stored.
    """

    member: Member
    fields: Mapping[str, bytes] = field(repr=False)

    @property
    def ended(self) -> int:
        """How often all their sessions were ended; those that were started before are over."""
        return self.number("e") or 0

    def number(self, name: str) -> int | None:
        """A field that is a number."""
        value = self.fields.get(name)
        return None if value is None else int(value)

    @property
    def since(self) -> dict[str, bytes]:
        """What tells that nothing has ended their sessions since, for a change to rest on.

        Whatever was proven by the password or the second factor as they were read is proven still.
        """
        return {"e": self.fields.get("e", b"")}

    @property
    def stands(self) -> dict[str, bytes]:
        """What tells what they may do now, for a change to rest on."""
        return {name: self.fields.get(name, b"") for name in STANDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a member's fields, all or nothing, with its entry in the audit.

    Attributes:
        what: for the audit, such as ``password_set``.
        by: who does it.
        reason: a word or several with commas between them.
        rests_on: fields that must still be as given; empty: there must be none.
        while_stands: another member who must still be what they were when they were read.
        sets: fields to set.
        removes: fields to remove.
        ends_sessions: whether every session that was started before is over.
    """

    what: str
    by: str
    reason: str = ""
    rests_on: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    while_stands: Account | None = None
    sets: Mapping[str, Argument] = field(default_factory=dict, repr=False)
    removes: Sequence[str] = ()
    ends_sessions: bool = False


class AccountStore:
    """Reads and writes accounts."""

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        clock: BusinessClock,
        random: RandomBytes,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._clock = clock
        self._random = random

    def create(self, member: Member, *, by: str) -> str | None:
        """Enter a member without a password; None where their address is somebody's already.

        Args:
            member: their id counts for nothing; they get one.
            by: who enters them, for the audit.

        Raises:
            StoreUnavailable: they may not be entered; ask again.
        """
        identifier = new_member_id(self._random)
        now_ms = self._clock.now_ms()
        names = (StaffKeys.emails, StaffKeys.member(identifier), StaffKeys.audit)
        args = (self.digest(member.email), identifier, now_ms, by, str(member.role))
        fields = ("c", self.sealed(identifier, "c", _packed(member)), "i", now_ms)
        answer = self._scripts.run_durably("create_member", [(names, (*args, *fields))])[0]
        return identifier if as_text(answer) == identifier else None

    def find(self, identifier: str) -> Account | None:
        """An account by the member's id, None where there is none.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
            StoreUnavailable: the store does not answer.
        """
        if not is_member_id(identifier):
            return None
        fields = self._scripts.read_hash(StaffKeys.member(identifier))
        return self._account(identifier, fields) if "c" in fields else None

    def load(self, identifier: str) -> Account:
        """The same.

        Raises:
            NotFound: there is none.
        """
        account = self.find(identifier)
        if account is None:
            raise NotFound("There is no member of staff with that id.")
        return account

    def find_by_email(self, email: str) -> Account | None:
        """An account by its address, normalised; as many questions where nobody has it."""
        with store_errors(self._client):
            identifier = self._client.hget(StaffKeys.emails, self.digest(email))
        return self.find(NOBODY if identifier is None else as_text(identifier))

    def all(self) -> list[Account]:
        """Every account, in the order of names."""
        with store_errors(self._client):
            identifiers = [as_text(each) for each in self._client.hvals(StaffKeys.emails)]
        records = self._scripts.read_hashes([StaffKeys.member(each) for each in identifiers])
        found = [
            self._account(identifier, {as_text(k): as_bytes(v) for k, v in record.items()})
            for identifier, record in zip(identifiers, records, strict=True)
            if record
        ]
        return sorted(found, key=lambda each: (each.member.name.casefold(), each.member.id))

    def change(self, identifier: str, change: Change) -> bool:
        """Make a change durably; False where what it rests on is not so any more: read it again.

        Raises:
            NotFound: there is no such member.
            StoreUnavailable: it may not be made.
        """
        other = change.while_stands
        theirs = {} if other is None else other.stands
        args: list[Argument] = [identifier, change.what, change.by, change.reason]
        args += [self._clock.now_ms(), int(change.ends_sessions)]
        args += [len(change.rests_on), len(theirs), len(change.sets)]
        for fields in (change.rests_on, theirs, change.sets):
            args += [part for pair in fields.items() for part in pair]
        args += change.removes
        names = [StaffKeys.member(identifier), StaffKeys.audit]
        names += [] if other is None else [StaffKeys.member(other.member.id)]
        answer = as_text(self._scripts.run_durably("change_member", [(names, args)])[0])
        if answer == "gone":
            raise NotFound("There is no member of staff with that id.")
        return answer == "ok"

    def amend(self, account: Account, member: Member, change: Change) -> bool:
        """Put a member's details in place of those that were read, as `change` does.

        The e-mail address stays: it is what they are found by. What they may do now must still be
        as it was read.
        """
        if member.email != account.member.email:
            raise ValueError("a member's address cannot be changed")
        sealed = self.sealed(member.id, "c", _packed(member))
        rests_on = {**account.stands, **change.rests_on}
        whole = replace(change, rests_on=rests_on, sets={"c": sealed, **change.sets})
        return self.change(member.id, whole)

    def note(self, what: str, *, on: str, by: str, reason: str = "") -> None:
        """Write an entry in the audit that comes with no change.

        Args:
            what: such as ``sign_in_failed``.
            on: a member's id, or the keyed hash of an address that is nobody's.
            by: who did it.
            reason: one word.
        """
        at_ms = self._clock.now_ms()
        with store_errors(self._client):
            self._client.xadd(
                StaffKeys.audit,
                {"what": what, "on": on, "by": by, "reason": reason, "at": at_ms},
            )

    def now_ms(self) -> int:
        """Business time, by which changes are dated."""
        return self._clock.now_ms()

    def digest(self, email: str) -> str:
        """The keyed hash that an address, normalised, is looked up by."""
        return self._index.digest("staff", email)

    def sealed(self, identifier: str, name: str, plain: bytes) -> bytes:
        """A value encrypted for a field of a member."""
        return self._keyring.encrypt(plain, associated(identifier, name))

    def opened(self, account: Account, name: str) -> bytes | None:
        """The value of an encrypted field, None where there is none.

        Raises:
            KeyMissing: its key is not in the ring.
            Tampered: it was changed, or moved there from another field or member.
        """
        value = account.fields.get(name)
        if value is None:
            return None
        return self._keyring.decrypt(value, associated(account.member.id, name))

    def _account(self, identifier: str, fields: Mapping[str, bytes]) -> Account:
        packed = self._keyring.decrypt(fields["c"], associated(identifier, "c"))
        told = dict(zip(_PROFILE, json.loads(packed), strict=True))
        member = Member(
            id=identifier,
            email=told["email"],
            name=told["name"],
            role=Role(told["role"]),
            clinics=tuple(told["clinics"]),
            language=told["language"],
            standing=_standing(fields),
            second_factor="t" in fields,
            signed_in_ms=int(fields["a"]) if "a" in fields else None,
        )
        return Account(member, fields)


def associated(identifier: str, name: str) -> bytes:
    """What an encrypted field is bound to, so that it opens nowhere else."""
    return f"{StaffKeys.member(identifier)}:{name}".encode()


def _standing(fields: Mapping[str, bytes]) -> Standing:
    if "d" in fields:
        return "disabled"
    return "active" if "p" in fields else "invited"


def _packed(member: Member) -> bytes:
    row = [getattr(member, name) for name in _PROFILE]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
