"""Those who have asked to join and whose address has not proven itself yet; nobody's patients.

A record is one hash, named by what began it, in the partition of its first address; it vanishes by
itself. Its fields: ``c`` what was asked for, encrypted; ``f`` the letter of the channel that was
proven first; ``vs`` and ``ve`` the proof of phone and mailbox, encrypted; ``p`` the patient that it
made; ``ds`` and ``de`` as whom a channel is enrolled. Until then nothing can be found by an address
but the join that the next YES from a phone is for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import redis

from service.store.connection import store_errors
from service.store.keyring import Index, KeyRing
from service.store.keys import PartitionKeys, new_attempt_id, partition_of
from service.store.records import CHANNELS, LETTER, Channel
from service.store.scripts import Scripts, as_text

PENDING_MS: Final = 86_400_000
"""How long an address has to prove itself."""


@dataclass(frozen=True, slots=True)
class Join:
    """What somebody asked for.

    Attributes:
        id: its name in the store; fit for logs.
        asked: the form, and the evidence of what was shown; names as the use case has them.
        first: the channel that was proven first, None before.
        proofs: evidence that an address is the person's own, by channel.
        made: id of the patient that it made, empty where it made none.
        enrolled: channel -> id of the patient that it is enrolled for.
    """

    id: str
    asked: Mapping[str, str]
    first: Channel | None = None
    proofs: Mapping[Channel, Mapping[str, str]] = field(default_factory=dict)
    made: str = ""
    enrolled: Mapping[Channel, str] = field(default_factory=dict)


class Joins:
    """Keeps them for a day."""

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        keys_of: Callable[[str], PartitionKeys],
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._keys_of = keys_of

    def name(self, address: str, once: str) -> str:
        """The id of the join that ``once`` begins, for an address's digest."""
        letters = hashlib.sha256(self._index.digest("join", once).encode()).digest()
        partition = self._keys_of(address).partition
        return new_attempt_id(partition, lambda count: letters[:count])

    def keep(self, join: Join, address: str, *, by_reply: bool, for_ms: int = PENDING_MS) -> bool:
        """Keep a join durably; False where it was kept before.

        Args:
            join: its id from ``name`` for the same address.
            address: digest of its first address.
            by_reply: whether the next YES from that address, a phone, is for this join.
            for_ms: how long, machine ms.

        Raises:
            StoreUnavailable: it may not be kept; ask again, it is idempotent.
        """
        keys = self._keys_of(address)
        key = keys.join(join.id)
        asked = self._sealed(key, join.asked)
        args = (for_ms, join.id if by_reply else "", "c", asked)
        names = (key, keys.awaited(address))
        return bool(self._scripts.run_durably("keep_join", [(names, args)])[0])

    def find(self, identifier: str) -> Join | None:
        """A join, None where it has expired, or the text is no id.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
            StoreUnavailable: the store does not answer.
        """
        try:
            key = PartitionKeys(partition_of(identifier)).join(identifier)
        except ValueError:
            return None
        fields = self._scripts.read_hash(key)
        if "c" not in fields:
            return None
        first = fields.get("f", b"").decode()
        return Join(
            id=identifier,
            asked=self._opened(key, fields["c"]),
            first=next((channel for channel in CHANNELS if LETTER[channel] == first), None),
            proofs={
                channel: self._opened(key, fields[f"v{LETTER[channel]}"])
                for channel in CHANNELS
                if f"v{LETTER[channel]}" in fields
            },
            made=fields.get("p", b"").decode(),
            enrolled={
                channel: fields[f"d{LETTER[channel]}"].decode()
                for channel in CHANNELS
                if f"d{LETTER[channel]}" in fields
            },
        )

    def awaited(self, address: str) -> Join | None:
        """The join that a YES from a phone (its digest) is for."""
        with store_errors(self._client):
            identifier = self._client.get(self._keys_of(address).awaited(address))
        return None if identifier is None else self.find(as_text(identifier))

    def forget(self, address: str) -> None:
        """No YES from a phone (its digest) is for any join any more, since it has said STOP."""
        with store_errors(self._client):
            self._client.delete(self._keys_of(address).awaited(address))

    def prove(self, join: Join, channel: Channel, proof: Mapping[str, str]) -> Join | None:
        """Note durably that an address is the person's own; None where the join has expired.

        Raises:
            StoreUnavailable: ask again, it is idempotent.
        """
        key = self._key(join)
        args = (LETTER[channel], self._sealed(key, proof))
        there = self._scripts.run_durably("prove_join", [((key,), args)])[0]
        return self.find(join.id) if there else None

    def end(self, join: Join, channel: Channel, patient: str, *, made: bool) -> None:
        """Note as whom a channel is enrolled, and whether the join made that patient."""
        args = (LETTER[channel], patient, int(made))
        self._scripts.run_durably("end_join", [((self._key(join),), args)])

    def _key(self, join: Join) -> str:
        return PartitionKeys(partition_of(join.id)).join(join.id)

    def _sealed(self, key: str, told: Mapping[str, str]) -> bytes:
        plain = json.dumps(dict(told), ensure_ascii=False, separators=(",", ":"))
        return self._keyring.encrypt(plain.encode(), key.encode())

    def _opened(self, key: str, sealed: bytes) -> dict[str, str]:
        told: dict[str, str] = json.loads(self._keyring.decrypt(sealed, key.encode()))
        return told
