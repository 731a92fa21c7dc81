"""Mails that came back, each once, and how often a mailbox has bounced lately.

A record is one hash in the partition of the mailbox that it is about (see ``PartitionKeys.mail``):
``k`` what it was, ``a`` the mailbox's digest, ``at`` when it was recorded (business), ``t`` the
attempt, ``s`` the status that a report told. It holds nobody's words or address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.clock import BusinessClock
from service.store.keys import PartitionKeys
from service.store.scripts import Scripts

KEPT_MS: Final = 400 * 86_400_000
"""How long a record is kept: longer than any mail server tries again."""
COUNTED_MS: Final = 30 * 86_400_000
"""Bounces that are only counted are forgotten after this, business and machine ms."""


class Mails:
    """Records of mail that came back; everything durably."""

    def __init__(
        self, scripts: Scripts, keys_of: Callable[[str], PartitionKeys], clock: BusinessClock
    ) -> None:
        self._scripts = scripts
        self._keys_of = keys_of
        self._clock = clock

    def known(self, identifier: str, mailbox: str) -> bool:
        """Whether a mail's effects are complete.

        Args:
            identifier: keyed hash of its Message-ID and recipient.
            mailbox: digest of the mailbox that it is about.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return bool(self._scripts.read_hash(self._keys_of(mailbox).mail(identifier)))

    def record(
        self, identifier: str, mailbox: str, kind: str, *, attempt: str, status: str
    ) -> bool:
        """Note that a mail's effects are complete; whether it had not been noted before.

        Raises:
            StoreUnavailable: not noted; the mail is to come again, which changes nothing.
        """
        keys = self._keys_of(mailbox)
        args = (KEPT_MS, self._clock.now_ms(), kind, mailbox, "t", attempt, "s", status)
        names = (keys.mail(identifier), keys.audit)
        return bool(self._scripts.run_durably("record_mail", [(names, args)])[0])

    def bounced(self, mailbox: str, what: str) -> int:
        """Count a mail that bounced; how many have within ``COUNTED_MS``, this one included.

        Args:
            mailbox: digest of where it went.
            what: the attempt; the bounce itself where it names none.

        Raises:
            StoreUnavailable: perhaps not counted; ask again, each counts once.
        """
        names = (self._keys_of(mailbox).bounces(mailbox),)
        args = (what, self._clock.now_ms(), COUNTED_MS)
        return int(self._scripts.run_durably("soft_bounce", [(names, args)])[0])
