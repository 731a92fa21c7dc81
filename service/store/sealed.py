"""Everything in the store that is encrypted, wherever it stands: to be counted, or sealed anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import redis

from service.store import keys
from service.store.accounts import SEALED, associated
from service.store.connection import store_errors
from service.store.keyring import KeyRing
from service.store.scripts import Scripts, as_bytes, as_text

AT_ONCE = 200
"""Records read, and written, in one round trip: a millisecond or two of the store."""
_RECORD = re.compile(r"\{(?:p\d+|imports)\}:([pcrmkjvgf]):(.+)")
_FIELDS = {
    "p": ("c",),
    "r": ("c", "r", "xh"),
    "m": ("c",),
    "k": ("c", "nt"),
    "j": ("c", "vs", "ve"),
    "g": ("c",),
    "f": ("c",),
}
"""Encrypted fields of a patient, an inbound message, a message outside of a series, a task for
staff, a join, an import and a part of one; ``c`` keys are lists of evidence, ``v`` hashes of
nothing but ratings."""

_Places = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """One encrypted value.

    Attributes:
        key: of the store.
        place: field of a hash, or place in a list.
        associated: what the value is bound to; see ``KeyRing.encrypt``.
        value: as stored.
    """

    key: str
    place: str
    associated: bytes
    value: bytes


class SealedValues:
    """Reads them all without holding the store up (``SCAN``), and seals them anew in place."""

    def __init__(self, client: redis.Redis, scripts: Scripts, keyring: KeyRing) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring

    def batches(self) -> Iterator[list[Sealed]]:
        """Every encrypted value but the index key, in no order; what is new meanwhile may be left.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with store_errors(self._client):
            found = self._client.scan_iter(match="{*}:[pcrmkjvgf]:*", count=1000)
            names = (as_text(name) for name in found)
            while batch := list(islice(names, AT_ONCE)):
                yield self._read(batch)
            yield self._of_staff()

    def _of_staff(self) -> list[Sealed]:
        """What is encrypted in the accounts of staff, which are few."""
        identifiers = [as_text(each) for each in self._client.hvals(keys.StaffKeys.emails)]
        pipeline = self._client.pipeline(transaction=False)
        for identifier in identifiers:
            pipeline.hmget(keys.StaffKeys.member(identifier), SEALED)
        return [
            Sealed(keys.StaffKeys.member(identifier), name, associated(identifier, name), value)
            for identifier, values in zip(identifiers, pipeline.execute(), strict=True)
            for name, value in zip(SEALED, values, strict=True)
            if value
        ]

    def _read(self, names: Sequence[str]) -> list[Sealed]:
        pipeline = self._client.pipeline(transaction=False)
        asked = []
        for name in names:
            match = _RECORD.fullmatch(name)
            if match is None:
                continue
            kind, identifier = match.groups()
            match kind:
                case "c":
                    pipeline.lrange(name, 0, -1)
                case "v":
                    pipeline.hgetall(name)
                case _:
                    pipeline.hmget(name, _FIELDS[kind])
            asked.append((name, kind, identifier))
        values = []
        for (name, kind, identifier), answer in zip(asked, pipeline.execute(), strict=True):
            # A patient's values are bound to the patient's id, a message's to its key.
            associated = (name if kind in "rmkjgf" else identifier).encode()
            values += [
                Sealed(name, place, associated, as_bytes(value))
                for place, value in _places(kind, answer)
                if value
            ]
        return values

    def reseal(self, values: Sequence[Sealed]) -> int:
        """Encrypt values anew under the current key; how many had not changed meanwhile.

        Raises:
            KeyMissing: one is under a key that the ring does not have.
            Tampered: one does not open.
            StoreUnavailable: do it again, it is idempotent.
        """
        ring = self._keyring
        calls = [
            (
                (value.key,),
                (
                    value.place,
                    value.value,
                    ring.encrypt(ring.decrypt(value.value, value.associated), value.associated),
                ),
            )
            for value in values
        ]
        return sum(int(answer) for answer in self._scripts.run_durably("reseal", calls))

    def index_key_id(self) -> str:
        """Id of the key that the index key is wrapped under."""
        return self._keyring.key_id_of(self._index_key())

    def rewrap_index_key(self) -> None:
        """Wrap the index key under the current key; it stays what it is, and so does every hash."""
        wrapped = self._index_key()
        anew = self._keyring.wrap(self._keyring.unwrap(wrapped, "index"), "index")
        self._scripts.run_durably("reseal", [((keys.INSTALLATION,), ("index_key", wrapped, anew))])

    def _index_key(self) -> bytes:
        with store_errors(self._client):
            wrapped = self._client.hget(keys.INSTALLATION, "index_key")
        assert wrapped is not None  # noqa: S101 - written at the very first start
        return as_bytes(wrapped)


def _places(kind: str, answer: Mapping[bytes, bytes] | Sequence[bytes | None]) -> _Places:
    """The values that were read of one record, each with its field, or its place in the list."""
    if isinstance(answer, Mapping):
        return [(as_text(field), value) for field, value in answer.items()]
    places = _FIELDS.get(kind) or [str(place) for place in range(len(answer))]
    return list(zip(places, answer, strict=True))
