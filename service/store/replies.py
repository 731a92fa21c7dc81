"""What patients write to us: a durable record of each message, made before anything is done.

Recording a message (see ``reply_records``) and numbering it among the stops of its address is one
script. The address's own record gets ``w`` stops so far, ``wt`` when the latest was received, ``l``
the stops that a later start has answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import redis

from service.clock import BusinessClock, MachineClock
from service.store.connection import store_errors
from service.store.keyring import Index, KeyRing
from service.store.keys import PartitionKeys
from service.store.records import PatientFields
from service.store.reply_records import NewReply, Reply, reply_of
from service.store.scripts import Scripts
from service.store.suppressions import change, member_of

KEPT_MS: Final = 400 * 86_400_000
"""How long a record is kept: longer than anything may be repeated or asked about."""
COUNTED_MS: Final = 3_600_000
"""Messages from one address are counted over this time."""
INBOUND_MARK: Final = "av:inbound_mark"
"""Up to when (machine ms UTC) the provider's list of inbound messages has been applied."""

Rejoined = Literal["lifted", "open", "kept", "overtaken"]
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

    def record(self, new: NewReply) -> Reply:
        """Record a message, or find it recorded: once a provider's id, however often it comes.

        Raises:
            StoreUnavailable: it is not on record; the provider is to try again.
        """
        identifier = self._index.digest("inbound", new.message_id)
        keys = self._keys_of(new.address)
        key = keys.reply(identifier)
        fields = self._fields(key, new)
        now_ms = self._machine.now_ms()
        answer = self._scripts.run_durably(
            "record_reply",
            [
                (
                    (
                        *(key, keys.address(new.address), keys.open_replies),
                        *(_asked(keys, new.address), keys.said(new.address)),
                    ),
                    (
                        _DIRECTION.get(new.heard.keyword, ""),
                        new.at_ms,
                        KEPT_MS,
                        now_ms,
                        COUNTED_MS,
                        self._business.now_ms() - (now_ms - new.at_ms),
                        *(part for pair in fields.items() for part in pair),
                    ),
                )
            ],
        )[0]
        return self._reply(key, answer[2:], new=bool(answer[0]), asked=int(answer[1]))

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

    def rejoin(self, reply: Reply, *, lifts: Sequence[str], source: str) -> Rejoined:
        """Lift the suppression of a start's number in the ledger, unless a stop has come since.

        The copies with the number's patients are not touched; ``Suppressions`` carries them on.

        Args:
            reply: the start.
            lifts: reasons that it may lift.
            source: for the audit.

        Returns:
            ``lifted``; ``open``: nothing was suppressed; ``kept``: it is suppressed for another
            reason; ``overtaken``: a stop is newer.

        Raises:
            StoreUnavailable: ask again, it is idempotent.
        """
        keys = self._keys_of(reply.address)
        # Webhooks are numbered as they arrive; of what is listed later, the provider's own time
        # decides, to the second, and in doubt for the stop.
        args = change(
            member_of(reply.channel, reply.address),
            on=False,
            reason="rejoined",
            source=source,
            at_ms=self._business.now_ms(),
            lifts=",".join(lifts),
            stops=reply.stops,
            received_ms=reply.at_ms if reply.via == "list" else None,
        )
        names = (keys.address(reply.address), keys.audit, keys.open_fan_outs)
        changed, _, on, *_ = self._scripts.run_durably("suppress", [(names, args)])[0]
        if changed < 0:
            return "overtaken"
        if on in (1, b"1"):
            return "kept"
        return "lifted" if changed else "open"

    def close(
        self, reply: Reply, messages: Sequence[str], answer: str | None
    ) -> tuple[tuple[str, ...], str | None]:
        """Note that a message's effects are complete; the answers that stand (the first given).

        Raises:
            StoreUnavailable: not noted; the effects are looked at again.
        """
        keys = self._keys_of(reply.address)
        key = keys.reply(reply.id)
        sealed = self._keyring.encrypt(answer.encode(), key.encode()) if answer else b""
        stands = self._scripts.run_durably(
            "close_reply", [((key, keys.open_replies), (",".join(messages), sealed))]
        )[0]
        return tuple(filter(None, stands[0].decode().split(","))), self._opened(key, stands[1])

    def is_first_of(self, reply: Reply, span_ms: int) -> bool:
        """Whether a message is the one that counts of its address for so long; each copy agrees.

        Args:
            reply: asked about; the first one that is asked about counts.
            span_ms: for how long, machine ms.

        Raises:
            StoreUnavailable: ask again, it is idempotent.
        """
        key = self._keys_of(reply.address).first_reply(reply.address)
        with store_errors(self._client):
            self._client.set(key, reply.id, nx=True, px=span_ms)
            return self._client.get(key) == reply.id.encode()

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
