"""What was said by or to an address outside of a series: found by the address, in its order.

Listed in one sorted set an address (see ``PartitionKeys.said``): what came in, what was queued in
answer, and what was put before staff. The records are those of ``replies``, ``responses`` and
``tasks``; one that has expired is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import redis

from service.store.connection import store_errors
from service.store.keys import PartitionKeys
from service.store.records import LETTER, Channel, PatientFields
from service.store.reply_records import Reply, reply_of
from service.store.responses import WORDS
from service.store.scripts import Call, Scripts, as_text
from service.store.tasks import Task, task_of

_ORDER = "rmk"
_ENCRYPTED = (b"c", b"r", b"nt", b"xh")
_UNDER_WAY = frozenset({"queued", "begun"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A message outside of a series, as far as it has come.

    Attributes:
        id: its name in the store.
        message: its name in the library.
        state: a word of ``responses.WORDS``.
        code: the provider's.
        by: who of the staff wrote it, empty where nobody did.
        clinic: in whose name it goes.
    """

    id: str
    channel: Channel
    message: str
    state: str
    code: str
    by: str = ""
    clinic: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said.

    Attributes:
        at_ms: when it was received or queued, business ms UTC.
        what: a reply without its answer's text, a message of ours, or a task for staff.
        key: of its record.
        sealed: what is encrypted of it, by field; empty where it is over or was erased.
    """

    at_ms: int
    what: Reply | Sent | Task
    key: str = ""
    sealed: Mapping[str, bytes] = field(default_factory=dict)


class Conversations:
    """Lists what was said, and forgets the words of it."""

    def __init__(
        self, client: redis.Redis, scripts: Scripts, keys_of: Callable[[str], PartitionKeys]
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys_of = keys_of

    def of(
        self,
        address: str,
        since_ms: int = 0,
        newest: int | None = None,
        until_ms: int | None = None,
    ) -> list[Said]:
        """What was said by or to an address from an instant on, oldest first.

        Args:
            address: its digest.
            since_ms: business ms UTC.
            newest: only so many, the latest; None for all.
            until_ms: only what was said by then, business ms UTC; None: by now.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        keys = self._keys_of(address)
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            end = "+inf" if until_ms is None else until_ms
            first = None if newest is None else 0
            pipeline.zrevrangebyscore(
                keys.said(address), end, since_ms, start=first, num=newest, withscores=True
            )
            (rows,) = pipeline.execute()
        listed = [(as_text(member), int(score)) for member, score in rows]
        # What was said at one instant began with a reply.
        listed.sort(key=lambda row: (row[1], _ORDER.index(row[0][0])))
        records = self._scripts.read_hashes([_key(keys, member) for member, _ in listed])
        return [
            Said(at_ms, _read(member, record), _key(keys, member), _sealed(record))
            for (member, at_ms), record in zip(listed, records, strict=True)
            if record
        ]

    def tasks(self, address: str) -> list[Task]:
        """What was put before staff about an address, closed or not, oldest first.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        keys = self._keys_of(address)
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zrange(keys.said(address), 0, -1)
            (rows,) = pipeline.execute()
        names = [name for name in map(as_text, rows) if name.startswith("k:")]
        records = self._scripts.read_hashes([_key(keys, name) for name in names])
        return [
            task_of(name.removeprefix("k:"), record)
            for name, record in zip(names, records, strict=True)
            if record
        ]

    def forget(self, address: str) -> None:
        """Remove the words of what was said, unless some patient uses the address; durably.

        What is under way keeps them for as long as it takes, and no longer.

        Raises:
            StoreUnavailable: not, or not wholly, removed; ask again, it is idempotent.
        """
        keys = self._keys_of(address)
        calls: list[Call] = [
            ((keys.address(address), key), fields)
            for said in self.of(address)
            for key, fields in _words_of(keys, said.what)
        ]
        self._scripts.run_durably("forget", calls)


def _key(keys: PartitionKeys, member: str) -> str:
    kind, _, identifier = member.partition(":")
    of_kind = {"r": keys.reply, "m": keys.response, "k": keys.task}
    return of_kind[kind](identifier)


def _read(member: str, record: Mapping[bytes, bytes]) -> Reply | Sent | Task:
    kind, _, identifier = member.partition(":")
    if kind == "r":
        return reply_of(PatientFields.of(identifier, record), new=False, asked=0, answer=None)
    if kind == "k":
        return task_of(identifier, record)
    text = {
        name: record.get(name.encode(), b"").decode() for name in ("h", "m", "s", "rc", "b", "g")
    }
    channel: Channel = "email" if text["h"] == LETTER["email"] else "sms"
    state = WORDS[text["s"]]
    return Sent(identifier, channel, text["m"], state, text["rc"], text["b"], text["g"])


def _sealed(record: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): record[name] for name in _ENCRYPTED if record.get(name)}


def _words_of(
    keys: PartitionKeys, what: Reply | Sent | Task
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Key and fields of words that nobody needs any more, and of what would keep them."""
    if isinstance(what, Reply):
        if what.done:
            yield keys.reply(what.id), ("c", "r", "xh")
    elif isinstance(what, Sent):
        yield keys.response(what.id), ("kw",) if what.state in _UNDER_WAY else ("c", "kw")
    else:
        yield keys.task(what.id), ("c", "nt")
