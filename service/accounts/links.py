"""Links that let a member choose a password: sent to their mailbox, good once and not for long.

The store has the digest of a link's token alone, in the member's own record: a new link makes the
one before it dead, and choosing a password removes it in the same step.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import Final, Literal

from service.clock import MachineClock
from service.store.accounts import Account, AccountStore, Change
from service.store.keys import MEMBER_RANDOM, RandomBytes
from service.store.sessions import TOKEN_BYTES, digest_of

Purpose = Literal["invite", "reset"]
LASTS_MS: Final[dict[Purpose, int]] = {"invite": 72 * 3_600_000, "reset": 3_600_000}
"""Machine ms."""
WHAT: Final[dict[Purpose, str]] = {"invite": "invited", "reset": "reset_link_sent"}
"""How the audit names that a link was made."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that is good.

    Attributes:
        account: whose it is.
        purpose: what it was sent for.
        field: of the account, as it must still be when the link is used.
    """

    account: Account
    purpose: Purpose
    field: bytes


class Links:
    """Makes and opens them."""

    def __init__(self, store: AccountStore, clock: MachineClock, random: RandomBytes) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def make(self, member: str, purpose: Purpose, *, by: str) -> str:
        """A new link's token, told once; the link that was made before is dead.

        Args:
            member: id.
            purpose: what for.
            by: who asks for it, for the audit.

        Raises:
            NotFound: there is no such member.
            StoreUnavailable: it may be dead; make another.
        """
        secret = base64.urlsafe_b64encode(self._random(TOKEN_BYTES)).rstrip(b"=").decode()
        token = member + secret
        until_ms = self._clock.now_ms() + LASTS_MS[purpose]
        field = f"{purpose}|{digest_of(token)}|{until_ms}"
        self._store.change(member, Change(what=WHAT[purpose], by=by, sets={"q": field}))
        return token

    def open(self, token: str) -> Opened | None:
        """Whose link it is, None where it is dead, used or none; changes nothing."""
        account = self._store.find(token[:MEMBER_RANDOM])
        if account is None or account.member.standing == "disabled":
            return None
        field = account.fields.get("q", b"")
        purpose, _, rest = field.decode().partition("|")
        digest, _, until_ms = rest.partition("|")
        if not hmac.compare_digest(digest.encode(), digest_of(token).encode()):
            return None
        if self._clock.now_ms() >= int(until_ms):
            return None
        return Opened(account, "invite" if purpose == "invite" else "reset", field)
