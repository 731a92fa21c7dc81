"""What staff say that a reply means, where it was misunderstood: recorded before anything is done.

The record is the reply's own (see ``reply_records``); what was understood at first stays beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from service.clock import BusinessClock, MachineClock
from service.errors import NotFound
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys
from service.store.replies import Replies
from service.store.reply_records import Heard, Reply
from service.store.scripts import Scripts

Counts = Literal["out", "in", ""]


@dataclass(frozen=True, slots=True)
class Told:
    """One correction, as staff gave it.

    Attributes:
        words: what the reply means, as ``reply_records.Heard`` has it.
        check_in: 0 to 10.
        by: who said so.
        at_ms: business ms UTC.
        why: in their own words.
    """

    words: tuple[str, ...]
    check_in: int | None
    by: str
    at_ms: int
    why: str

    @property
    def heard(self) -> Heard:
        """As it is understood from then on."""
        return Heard(self.words, self.check_in)


class Corrections:
    """Records corrections durably, and that their effects are complete."""

    def __init__(
        self,
        scripts: Scripts,
        keyring: KeyRing,
        replies: Replies,
        keys_of: Callable[[str], PartitionKeys],
        machine: MachineClock,
        business: BusinessClock,
    ) -> None:
        self._scripts = scripts
        self._keyring = keyring
        self._replies = replies
        self._keys_of = keys_of
        self._machine = machine
        self._business = business

    def record(
        self, reply: Reply, heard: Heard, *, by: str, why: str, patient: str, counts: Counts
    ) -> Reply | None:
        """Record what a reply means; the reply with it, None where somebody was first.

        Args:
            reply: as it was read when that was decided.
            heard: what it means.
            by: who says so.
            why: in their own words; encrypted before it is stored.
            patient: whose rating it is, empty where it is none.
            counts: whether it is one more stop, or a start, of its address.

        Raises:
            NotFound: the reply is not on record any more.
            StoreUnavailable: it may not be on record; ask again.
        """
        keys = self._keys_of(reply.address)
        key, now_ms = keys.reply(reply.id), self._business.now_ms()
        told = [*self.of(reply), Told(heard.words, heard.check_in, by, now_ms, why)]
        rows = [[each.words, each.check_in, each.by, each.at_ms, each.why] for each in told]
        sealed = self._keyring.encrypt(json.dumps(rows, ensure_ascii=False).encode(), key.encode())
        number = reply.correction.number if reply.correction else 0
        fields = {
            "xi": ",".join(heard.words),
            "xc": "" if heard.check_in is None else heard.check_in,
            "xw": ",".join(reply.meant.words),
            "xp": patient,
        }
        head = (number, counts, self._machine.now_ms(), by, now_ms, ",".join(heard.words))
        args = (*head, sealed, *(part for pair in fields.items() for part in pair))
        names = (key, keys.address(reply.address), keys.open_corrections, keys.audit)
        (answer,) = self._scripts.run_durably("correct_reply", [(names, args)])[0]
        if answer == b"gone":
            raise NotFound("That message is not on record any more.")
        return self._replies.read(reply.address, reply.id) if answer == b"ok" else None

    def of(self, reply: Reply) -> list[Told]:
        """All corrections of a reply, oldest first; empty where they were erased.

        Raises:
            KeyMissing: the key they were encrypted under is not in the ring.
        """
        key = self._keys_of(reply.address).reply(reply.id)
        sealed = self._scripts.read_hash(key).get("xh") if reply.correction else None
        rows = json.loads(self._keyring.decrypt(sealed, key.encode())) if sealed else []
        return [Told(tuple(words), *rest) for words, *rest in rows]

    def done(self, reply: Reply) -> None:
        """Note that the effects of a reply's newest correction are complete.

        Raises:
            StoreUnavailable: not noted; they are looked at again.
        """
        if reply.correction is not None:
            keys = self._keys_of(reply.address)
            names = (keys.reply(reply.id), keys.open_corrections)
            self._scripts.run_durably("end_correction", [(names, (reply.correction.number,))])
