"""The key ring of a process that lives through a rotation.

Which key encrypts stands in the store, so that all processes change over together. A key is read
by all before it encrypts anything: it is in the ring (a file that they share, or the setting they
were started with) first, and only then does the store name it. A process that meets a key it does
not know reads the ring again, once, before it refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from service.store.keyring import KeyMissing, KeyRing

FOLLOW_S = 1.0
"""A process asks the store which key encrypts at most this often, machine seconds."""


class LiveKeyRing(KeyRing):
    """Reads its source again, and follows the store; else a ``KeyRing``."""

    def __init__(
        self,
        ring: KeyRing,
        reread: Callable[[], KeyRing],
        in_use: Callable[[], str | None],
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(ring._keys)  # noqa: SLF001 - the same class
        self._reread = reread
        self._in_use = in_use
        self._monotonic = monotonic
        self._asked_at = monotonic()
        self.use(ring.current)

    def follow(self) -> None:
        """Encrypt with the key that the store names, reading the ring again where it is new.

        Raises:
            KeyMissing: it is not in the ring; nothing is encrypted under another one instead.
            StoreUnavailable: the store does not answer.
        """
        named = self._in_use()
        if named is not None and named != self.current:
            if named not in self.ids:
                self.take_over(self._reread())
            self.use(named)
        self._asked_at = self._monotonic()

    def _seal(self, plaintext: bytes, associated: bytes) -> bytes:
        if self._monotonic() > self._asked_at + FOLLOW_S:
            self.follow()
        return super()._seal(plaintext, associated)

    def _open(self, blob: bytes, associated: bytes) -> bytes:
        try:
            return super()._open(blob, associated)
        except KeyMissing:
            self.take_over(self._reread())
            return super()._open(blob, associated)
