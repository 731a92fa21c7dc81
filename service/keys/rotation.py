"""Rotate the key ring: a new key is known first, then used, then everything is under it.

Each step may be repeated and may be cut off anywhere: what is done is seen, and left. The index
key, by which addresses are found, is only wrapped anew: were it another one, no patient would be
found by their number any more, and an opt-out would not meet its address.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import redis
import structlog

from service.clock import MachineClock
from service.errors import AftervisitError
from service.store.installation import key_in_use, key_used_since, use_key
from service.store.keyring import KeyMissing, Tampered
from service.store.live_ring import FOLLOW_S, LiveKeyRing
from service.store.sealed import Sealed, SealedValues

log = structlog.get_logger(__name__)

PASSES = 3
"""Passes over the store until nothing is left under another key."""


LINKS_DAYS = 60
"""How long a link in an e-mail has to work at least. CAN-SPAM, 16 CFR 316: 30 days."""
DAY_MS = 86_400_000


class StillNeeded(AftervisitError):
    """A key cannot be retired yet."""


@dataclass(frozen=True, slots=True)
class KeyReport:
    """How things stand.

    Attributes:
        in_use: id of the key that encrypts.
        ring: ids in the ring of this process, newest first.
        values: how many encrypted values are under each key.
        missing: of those, ids of keys that the ring does not have.
    """

    in_use: str
    ring: tuple[str, ...]
    values: Mapping[str, int]
    missing: tuple[str, ...]


@dataclass(slots=True)
class Moved:
    """What a pass did.

    Attributes:
        moved: values that were encrypted anew.
        unreadable: values by the id of the key that they are under and that would not open them.
    """

    moved: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)


class Rotation:
    """The use case behind ``aftervisit keys``."""

    def __init__(
        self,
        client: redis.Redis,
        ring: LiveKeyRing,
        values: SealedValues,
        machine: MachineClock,
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._ring = ring
        self._values = values
        self._machine = machine
        self._sleep = sleep

    def report(self) -> KeyReport:
        """Count the values under each key; reads the whole store, a few hundred at a time."""
        self._ring.follow()
        counts = Counter({self._values.index_key_id(): 1})
        for batch in self._values.batches():
            counts.update(self._key_of(value) for value in batch)
        missing = tuple(sorted(set(counts) - set(self._ring.ids)))
        return KeyReport(self._ring.current, self._ring.ids, dict(counts), missing)

    def _key_of(self, value: Sealed) -> str:
        try:
            return self._ring.key_id_of(value.value)
        except Tampered:
            return "damaged"

    def use_newest(self) -> str:
        """Have every process encrypt with the newest key of the ring; returns when all do.

        Raises:
            StoreUnavailable: try again.
        """
        newest = self._ring.ids[0]
        if key_in_use(self._client) != newest:
            use_key(self._client, newest, self._machine.now_ms())
            log.info("key_in_use", key=newest)
            self._sleep(2 * FOLLOW_S)
        self._ring.follow()
        return newest

    def finish(self, told: Callable[[int], None] = lambda _: None) -> Moved:
        """Encrypt anew whatever is not under the key in use, while everything goes on.

        Args:
            told: called with the number of values moved so far, now and then.

        Raises:
            StoreUnavailable: run it again, it goes on where it was.
        """
        self._ring.follow()
        if self._values.index_key_id() != self._ring.current:
            self._values.rewrap_index_key()
        done = Moved()
        for _ in range(PASSES):
            before, done.unreadable = done.moved, Counter()
            for batch in self._values.batches():
                self._move([v for v in batch if self._key_of(v) != self._ring.current], done)
                told(done.moved)
            if done.moved == before:
                break
        return done

    def _move(self, values: Sequence[Sealed], done: Moved) -> None:
        readable = []
        for value in values:
            try:
                self._ring.decrypt(value.value, value.associated)
            except (KeyMissing, Tampered):
                done.unreadable[self._key_of(value)] += 1
            else:
                readable.append(value)
        done.moved += self._values.reseal(readable)

    def require_idle(self, key_id: str, *, break_links: bool = False) -> None:
        """See that a key may leave the ring.

        Args:
            key_id: which.
            break_links: also where links that are out under it would no longer work.

        Raises:
            StillNeeded: it encrypts, something is still under it, or links may be; says what to do.
        """
        report = self.report()
        if key_id == report.in_use:
            raise StillNeeded(
                f"The key {key_id} is in use. Run aftervisit keys rotate first, then retire it."
            )
        if report.values.get(key_id):
            raise StillNeeded(
                f"{report.values[key_id]} values are still under the key {key_id}. Run aftervisit "
                f"keys rotate --finish, then retire it."
            )
        age_days = (self._machine.now_ms() - key_used_since(self._client)) / DAY_MS
        if age_days < LINKS_DAYS and not break_links:
            raise StillNeeded(
                f"Links to unsubscribe in e-mails of the last {LINKS_DAYS} days may be under the "
                f"key {key_id}; without it they do not work. Retire it in "
                f"{math.ceil(LINKS_DAYS - age_days)} days, or at once with --break-links."
            )
