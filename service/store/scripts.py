"""The Lua scripts, each one atomic step on one slot: read from ``scripts/*.lua``, called by SHA.

A line ``--@ shared/<name>.lua`` of a script stands for that file: what several of them do alike.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.crc import key_slot

from service.store.cluster import ClusterClient
from service.store.connection import Durability, store_errors
from service.store.lines import ClusterDurability, Command, Lines, lines_to, settle, with_script

Argument = str | int | float | bytes
ALONE = "the server"
_SHARED = re.compile(r"^--@ (\S+)\n", re.MULTILINE)
Call = tuple[Sequence[str], Sequence[Argument]]


@cache
def _sources() -> dict[str, tuple[str, str]]:
    """Script name -> (text, SHA-1)."""
    found = {}
    directory = files("service.store").joinpath("scripts")
    for entry in directory.iterdir():
        if entry.name.endswith(".lua"):
            text = _SHARED.sub(
                lambda line: directory.joinpath(line[1]).read_text(encoding="utf-8"),
                entry.read_text(encoding="utf-8"),
            )
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
        return self._run(name, calls, durably=False)

    def run_durably(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The same, and return only when what was written would outlive a power cut.

        Raises:
            StoreUnavailable: it may have been written, but is not to be relied upon.
        """
        return self._run(name, calls, durably=True)

    def _run(self, name: str, calls: Sequence[Call], *, durably: bool) -> list[Any]:
        if not calls:
            return []
        if self._cluster is not None:
            with store_errors(self._client):
                return _run_on(self._cluster, name, calls, self._durability if durably else None)
        text, digest = _sources()[name]
        return self._ask(_evaluations(digest, calls), text, durably=durably)

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
        return await self._ask_soon(_evaluations(digest, calls), text, durably=durably)

    def _ask(
        self, commands: Sequence[Command], script: str = "", *, durably: bool = False
    ) -> list[Any]:
        # Not by redis-py's pipelines, which take several times as long as a line.
        with store_errors(self._client), lines_to({ALONE: self._client}) as lines:
            lines[ALONE].send(commands)
            return self._answers(lines, commands, script, durably=durably)

    async def _ask_soon(
        self, commands: Sequence[Command], script: str = "", *, durably: bool = False
    ) -> list[Any]:
        with store_errors(self._client), lines_to({ALONE: self._client}) as lines:
            lines[ALONE].send(commands)
            await lines[ALONE].answered()
            return self._answers(lines, commands, script, durably=durably)

    def _answers(
        self, lines: Lines, commands: Sequence[Command], script: str, *, durably: bool
    ) -> list[Any]:
        """Answers to what was sent on the only line."""
        found = {ALONE: lines[ALONE].receive(commands)}
        answers = _sound(with_script(lines, {ALONE: commands}, script, found)[ALONE])
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

    def read_newest(
        self, keys: Sequence[str], top: int, most: int, *, ties: bool
    ) -> list[tuple[str, int]]:
        """Members of sorted sets with the highest scores up to ``top``, in one round trip.

        Args:
            keys: of the sets.
            top: the highest score.
            most: of each set.
            ties: whether all members that have just that score are read as well.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        below = f"({top}" if ties else top
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrevrangebyscore(key, below, "-inf", start=0, num=most, withscores=True)
                if ties:
                    pipeline.zrangebyscore(key, top, top, withscores=True)
            answers = _sound(pipeline.execute(raise_on_error=False))
        return [(as_text(member), int(score)) for rows in answers for member, score in rows]

    def read_sizes(self, keys: Sequence[str]) -> int:
        """How many members sorted sets have together, in one round trip.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zcard(key)
            return sum(_sound(pipeline.execute(raise_on_error=False)))

    def read_hashes(self, keys: Sequence[str]) -> list[Mapping[bytes, bytes]]:
        """All fields of hashes, in one round trip; empty where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if not keys:
            return []
        if self._cluster is not None:
            with store_errors(self._client):
                slots = [key_slot(key.encode()) for key in keys]
                return _sound(self._cluster.run(_reads(keys), slots, script=""))
        return self._ask(_reads(keys))

    async def read_hashes_soon(self, keys: Sequence[str]) -> list[Mapping[bytes, bytes]]:
        """`read_hashes` while the event loop goes on, as in `run_soon`."""
        if self._cluster is not None or not keys:
            return self.read_hashes(keys)
        return await self._ask_soon(_reads(keys))

    def read_hash(self, key: str) -> dict[str, bytes]:
        """All fields of a hash, empty where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        fields = self.read_hashes([key])[0]
        return {field.decode(): value for field, value in fields.items()}


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
