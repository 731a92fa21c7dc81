"""The Lua scripts, each one atomic step on one slot: read from ``scripts/*.lua``, called by SHA."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.crc import key_slot
from redis.exceptions import NoScriptError

from service.store.borrowing import borrowed
from service.store.cluster import ClusterClient
from service.store.connection import Durability, store_errors
from service.store.lines import ClusterDurability, Command, lines_to, settle, with_script

Argument = str | int | float | bytes
ALONE = "the server"
Call = tuple[Sequence[str], Sequence[Argument]]


@cache
def _sources() -> dict[str, tuple[str, str]]:
    """Script name -> (text, SHA-1)."""
    found = {}
    for entry in files("service.store").joinpath("scripts").iterdir():
        if entry.name.endswith(".lua"):
            text = entry.read_text(encoding="utf-8")
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            found[entry.name.removesuffix(".lua")] = (text, digest)
    return found


class Scripts:
    """Calls scripts on one client; loads them where the server does not have them yet."""

    def __init__(self, client: redis.Redis, durability: Durability) -> None:
        self._client = client
        self._durability = durability
        self._cluster = client if isinstance(client, ClusterClient) else None

    def run(self, name: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:  # noqa: ANN401
        """Run one script.

        Raises:
            StoreUnavailable: the store did not answer, or refuses writes.
        """
        return self.run_many(name, [(keys, args)])[0]

    def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Run one script for each (keys, args), pipelined: one round trip, one fsync, in order.

        Each call is atomic by itself; they are not one transaction.

        Raises:
            StoreUnavailable: the store did not answer, or refuses writes.
        """
        if not calls:
            return []
        with store_errors(self._client):
            if self._cluster is not None:
                return _run_on(self._cluster, name, calls, None)
            return _run_many(self._client, name, calls)

    def run_durably(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The same, and return only when what was written would outlive a power cut.

        Raises:
            StoreUnavailable: it may have been written, but is not to be relied upon.
        """
        if not calls:
            return []
        if self._cluster is not None:
            with store_errors(self._client):
                return _run_on(self._cluster, name, calls, self._durability)
        with store_errors(self._client), borrowed(self._client) as connection:
            answers = _run_many(connection, name, calls)
            self._durability.settle(connection)
        return answers

    async def run_soon(
        self, name: str, calls: Sequence[Call], *, durably: bool = False
    ) -> list[Any]:
        """`run_many` or `run_durably` while the event loop goes on, for as long as one waits.

        On a cluster, and for what has to be confirmed by WAITAOF, the loop waits too.

        Raises:
            StoreUnavailable: as there.
        """
        if self._cluster is not None or not calls:
            return self.run_durably(name, calls) if durably else self.run_many(name, calls)
        text, digest = _sources()[name]
        return await self._ask(_evaluations(digest, calls), text, durably=durably)

    async def _ask(
        self, commands: Sequence[Command], script: str = "", *, durably: bool = False
    ) -> list[Any]:
        asked = {ALONE: commands}
        with store_errors(self._client), lines_to({ALONE: self._client}) as lines:
            line = lines[ALONE]
            line.send(commands)
            await line.answered()
            found = {ALONE: line.receive(commands)}
            answers = _sound(with_script(lines, asked, script, found)[ALONE])
            if durably and self._durability.waits:
                settle(lines, {ALONE: self._durability})
        return answers

    def read_before(self, keys: Sequence[str], limit: int, most: int = 100) -> list[str]:
        """Members of sorted sets whose score is at most ``limit``, in one round trip.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrangebyscore(key, "-inf", limit, start=0, num=most)
            answers = _sound(pipeline.execute(raise_on_error=False))
        return [member.decode() for members in answers for member in members]

    def read_hashes(self, keys: Sequence[str]) -> list[Mapping[bytes, bytes]]:
        """All fields of hashes, in one round trip; empty where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if not keys:
            return []
        with store_errors(self._client):
            if self._cluster is not None:
                slots = [key_slot(key.encode()) for key in keys]
                return _sound(self._cluster.run(_reads(keys), slots, script=""))
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hgetall(key)
            return list(pipeline.execute())

    async def read_hashes_soon(self, keys: Sequence[str]) -> list[Mapping[bytes, bytes]]:
        """`read_hashes` while the event loop goes on, as in `run_soon`."""
        if self._cluster is not None or not keys:
            return self.read_hashes(keys)
        return await self._ask(_reads(keys))

    def read_hash(self, key: str) -> dict[str, bytes]:
        """All fields of a hash, empty where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with store_errors(self._client):
            fields = self._client.hgetall(key)
        return {as_text(field): as_bytes(value) for field, value in fields.items()}


def as_text(reply: bytes | str) -> str:
    """A reply as text; clients of ours get bytes, redis-py's types allow for both."""
    return reply.decode() if isinstance(reply, bytes) else reply


def as_bytes(reply: bytes | str) -> bytes:
    """A reply as bytes."""
    return reply if isinstance(reply, bytes) else reply.encode()


def _run_on(
    cluster: ClusterClient, name: str, calls: Sequence[Call], durability: Durability | None
) -> list[Any]:
    """The same on a cluster: one round trip, and one fsync, for each node."""
    text, digest = _sources()[name]
    commands = _evaluations(digest, calls)
    slots = [key_slot(keys[0].encode()) for keys, _ in calls]
    if durability is not None and not isinstance(durability, ClusterDurability):
        raise TypeError("a cluster's durability is asked for with Durability.of")
    return _sound(cluster.run(commands, slots, script=text, durability=durability))


def _run_many(client: redis.Redis, name: str, calls: Sequence[Call]) -> list[Any]:
    text, digest = _sources()[name]
    answers = _pipelined(client, digest, calls)
    missing = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if missing:
        # The server was restarted: NOSCRIPT proves that these calls did nothing.
        client.script_load(text)
        again = _pipelined(client, digest, [calls[i] for i in missing])
        for i, answer in zip(missing, again, strict=True):
            answers[i] = answer
    return _sound(answers)


def _evaluations(digest: str, calls: Sequence[Call]) -> list[Command]:
    return [(("EVALSHA", digest, len(keys), *keys, *args), {}) for keys, args in calls]


def _reads(keys: Sequence[str]) -> list[Command]:
    return [(("HGETALL", key), {}) for key in keys]


def _sound(answers: list[Any]) -> list[Any]:
    """The answers, where none of them is an error.

    Raises:
        redis.RedisError: the first error among them.
    """
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _pipelined(client: redis.Redis, digest: str, calls: Sequence[Call]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for keys, args in calls:
        pipeline.evalsha(digest, len(keys), *keys, *args)
    return list(pipeline.execute(raise_on_error=False))
