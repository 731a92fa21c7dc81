"""Members of staff for tests, whose passwords cost next to nothing to check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp
from argon2 import PasswordHasher

from service.accounts.passwords import Passwords
from service.accounts.roles import Role

if TYPE_CHECKING:
    from service.accounts.members import Member
    from service.bootstrap import Core
    from service.store.accounts import Account

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "quiet lantern over moss"
"""A password that is good enough."""


def make_cheap(core: Core) -> None:
    """Let passwords cost next to nothing; before the first is hashed."""
    core.__dict__["passwords"] = Passwords(CHEAP)


def add_member(
    core: Core,
    email: str = "ana@riverside.example",
    role: Role = Role.STAFF,
    *,
    name: str = "Ana Lopez",
    clinics: tuple[str, ...] = (),
    language: str = "en",
    password: str | None = GOOD,
) -> Member:
    """Enter a member of staff, who may sign in at once where they get a password."""
    return core.accounts.create(
        email=email,
        name=name,
        role=role,
        clinics=clinics,
        language=language,
        password=password,
        source="test",
    )


def account_of(core: Core, member: Member) -> Account:
    """What is on record of a member now."""
    return core._account_store.load(member.id)


def code_of(core: Core, secret: str, steps: int = 0) -> str:
    """What an app with that secret shows now, or so many steps of 30 s later."""
    return pyotp.TOTP(secret).generate_otp(core.machine.now_ms() // 30_000 + steps)


def add_second_factor(core: Core, member: Member) -> tuple[str, list[str]]:
    """Set up a second factor; its secret, and the recovery codes. The code of now is used up."""
    proposal = core.second_factor.propose(member)
    codes = core.second_factor.confirm(
        account_of(core, member), proposal.sealed, code_of(core, proposal.secret), by=member.source
    )
    return proposal.secret, codes
