"""What patients write to us: a durable record of each message, made before anything is done.

Recording a message (see ``reply_records``) and numbering it among the stops of its address is one
script. The address's own record gets ``w`` stops so far, ``wt`` when the latest was received, ``l``
the stops that a later start has answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import redis

from service.clock import BusinessClock, MachineClock
from service.store.connection import store_errors
from service.store.counts import ClinicNumbers
from service.store.keyring import Index, KeyRing
from service.store.keys import PartitionKeys
from service.store.records import PatientFields
from service.store.reply_records import NewReply, Recorded, Reply, reply_of
from service.store.scripts import Scripts
from service.store.suppressions import patients_of

KEPT_MS: Final = 400 * 86_400_000
"""How long a record is kept: longer than anything may be repeated or asked about."""
COUNTED_MS: Final = 3_600_000
"""Messages from one address are counted over this time."""
INBOUND_MARK: Final = "av:inbound_mark"
"""Up to when (machine ms UTC) the provider's list of inbound messages has been applied."""

_DIRECTION = {"stop": "out", "stop_all": "out", "start": "in"}


class Replies:
    """Records inbound messages and what became of them; everything durably."""

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        keys_of: Callable[[str], PartitionKeys],
        partitions: int,
        machine: MachineClock,
        business: BusinessClock,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._keys_of = keys_of
        self._partitions = partitions
        self._machine = machine
        self._business = business
        self._clinics = ClinicNumbers(client)

    def record(self, new: NewReply) -> Recorded:
        """Record a message, or find it recorded: once a provider's id, however often it comes.

        Raises:
            StoreUnavailable: it is not on record; the provider is to try again.
        """
        identifier = self._index.digest("inbound", new.message_id)
        keys = self._keys_of(new.address)
        key = keys.reply(identifier)
        now_ms = self._machine.now_ms()
        names = (
            *(key, keys.address(new.address), keys.open_replies, _asked(keys, new.address)),
            *(keys.said(new.address), keys.awaited(new.address)),
        )
        args = (
            _DIRECTION.get(new.heard.keyword, ""),
            new.at_ms,
            KEPT_MS,
            now_ms,
            COUNTED_MS,
            self._business.now_ms() - (now_ms - new.at_ms),
            *(part for pair in self._fields(key, new).items() for part in pair),
        )
        is_new, asked, awaited, patients, fields = self._scripts.run_durably(
            "record_reply", [(names, args)]
        )[0]
        return Recorded(
            self._reply(key, fields, new=bool(is_new), asked=int(asked)),
            tuple(patient.decode() for patient in patients),
            bool(awaited),
        )

    def around(self, reply: Reply) -> Recorded:
        """A message that was found on record, with what is known of its address now."""
        keys = self._keys_of(reply.address)
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hgetall(keys.address(reply.address))
            pipeline.exists(keys.awaited(reply.address))
            record, awaited = pipeline.execute()
        fields = {name.decode(): value for name, value in record.items()}
        return Recorded(reply, patients_of(fields), bool(awaited))

    def find(self, address: str, message_id: str) -> Reply | None:
        """A recorded message; None where it is not on record (yet).

        Args:
            address: digest of the address that it came from.
            message_id: the provider's id.
        """
        return self.read(address, self._index.digest("inbound", message_id))

    def read(self, address: str, identifier: str) -> Reply | None:
        """A recorded message by its id; None where there is none, or no longer."""
        key = self._keys_of(address).reply(identifier)
        with store_errors(self._client):
            fields = self._client.hgetall(key)
        return self._reply(key, _flat(fields)) if fields else None

    def _fields(self, key: str, new: NewReply) -> dict[str, str | int | bytes]:
        content = json.dumps(dict(new.content), ensure_ascii=False).encode()
        return {**new.fields(), "c": self._keyring.encrypt(content, key.encode())}

    def overtaken(self, reply: Reply) -> bool:
        """Whether a start that came after this stop has been followed already."""
        key = self._keys_of(reply.address).address(reply.address)
        with store_errors(self._client):
            answered = self._client.hget(key, "l")
        return answered is not None and int(answered) >= reply.stops

    def close(
        self, reply: Reply, messages: Sequence[str], answer: str | None, *, clinic: str = ""
    ) -> tuple[tuple[str, ...], str | None]:
        """Note that a message's effects are complete; the answers that stand (the first given).

        Args:
            reply: whose.
            messages: the answers' names.
            answer: their text.
            clinic: id of the clinic that it is counted for; empty: it is not counted.

        Raises:
            StoreUnavailable: not noted; the effects are looked at again.
        """
        keys = self._keys_of(reply.address)
        key = keys.reply(reply.id)
        sealed = self._keyring.encrypt(answer.encode(), key.encode()) if answer else b""
        stands = self._scripts.run_durably(
            "close_reply",
            [
                (
                    (key, keys.open_replies, keys.counts),
                    (",".join(messages), sealed, *self._counted(reply, clinic)),
                )
            ],
        )[0]
        return tuple(filter(None, stands[0].decode().split(","))), self._opened(key, stands[1])

    def _counted(self, reply: Reply, clinic: str) -> tuple[str, ...]:
        """What a message is counted as: itself, and by each word that was understood."""
        if not clinic:
            return ()
        when = f"i|{self._business.now_ms() // 3_600_000}|{self._clinics.of(clinic)}|"
        return tuple(when + word for word in ("", *reply.heard.words))

    def open_before(self, at_ms: int, limit: int, *, corrected: bool = False) -> list[Reply]:
        """Messages recorded at or before an instant whose effects may not be complete.

        Args:
            at_ms: machine ms UTC.
            limit: at most this many of each partition, oldest first.
            corrected: those whose correction was recorded then, and may not be complete.
        """
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            partitions = [PartitionKeys(number) for number in range(self._partitions)]
            for keys in partitions:
                index = keys.open_corrections if corrected else keys.open_replies
                pipeline.zrangebyscore(index, "-inf", at_ms, start=0, num=limit)
            found = [
                keys.reply(member.decode())
                for keys, members in zip(partitions, pipeline.execute(), strict=True)
                for member in members
            ]
            for key in found:
                pipeline.hgetall(key)
            records = pipeline.execute()
        return [
            self._reply(key, _flat(fields))
            for key, fields in zip(found, records, strict=True)
            if fields
        ]

    def content(self, reply: Reply) -> dict[str, str]:
        """The text and its numbers, decrypted; empty where they were erased.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
        """
        key = self._keys_of(reply.address).reply(reply.id)
        return self._keyring.decrypt_texts(self._scripts.read_hash(key).get("c"), key.encode())

    def mark_ms(self) -> int | None:
        """Up to when the provider's list has been applied, machine ms UTC; None if it never was."""
        with store_errors(self._client):
            mark = self._client.get(INBOUND_MARK)
        return None if mark is None else int(mark)

    def set_mark(self, mark_ms: int) -> None:
        """Move that mark; if this is lost, more is read again, and changes nothing."""
        with store_errors(self._client):
            self._client.set(INBOUND_MARK, mark_ms)

    def _reply(self, key: str, flat: list[bytes], *, new: bool = False, asked: int = 0) -> Reply:
        fields = PatientFields.of(key.rpartition(":")[2], flat)
        answer = self._opened(key, fields.fields.get("r", b""))
        return reply_of(fields, new=new, asked=asked, answer=answer)

    def _opened(self, key: str, sealed: bytes) -> str | None:
        return self._keyring.decrypt(sealed, key.encode()).decode() if sealed else None


def _flat(fields: Mapping[Any, Any]) -> list[bytes]:
    return [part for pair in fields.items() for part in pair]


def _asked(keys: PartitionKeys, address: str) -> str:
    """Counter, with expiry, of the messages that an address has sent."""
    return f"{keys.tag}:n:{address}"
