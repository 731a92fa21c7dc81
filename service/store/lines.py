"""Many calls at once: one connection and one round trip for a server, or each node of a cluster."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import hiredis
import redis
from redis.exceptions import NoScriptError

from service.store.census import Census, counted_by_cluster
from service.store.connection import Durability

TOGETHER = 50
"""So many commands are worth copying together before they are sent."""
Words = Sequence[Any]
Command = tuple[Words, Mapping[str, Any]]
"""What is sent, and options for reading the answer."""


@dataclass
class Line:
    """One borrowed connection of one node.

    Attributes:
        node: a client of that node.
        fault: why nothing more can be asked on it; what was sent before may have been done.
        waiting: answers that are still to be read.
    """

    node: redis.Redis
    connection: redis.Connection
    fault: redis.RedisError | None = None
    waiting: int = field(default=0, init=False)

    def send(self, commands: Sequence[Command]) -> None:
        """Send all in one go; a fault is kept for `receive`."""
        if self.fault is None and not self.connection.is_connected:
            # To connect anew would let a confirmation be asked where nothing was written.
            self.fault = redis.ConnectionError("the connection broke in the middle of a write")
        if self.fault is not None or not commands:
            return
        self.waiting = len(commands)
        try:
            # Not by redis-py's `pack_commands`, which looks at each of some thousand arguments.
            packed = [
                hiredis.pack_command((*words[0].split(), *words[1:])) for words, _ in commands
            ]
            # Each piece is a system call of its own; a large pipeline goes in one.
            pieces = [b"".join(packed)] if len(packed) >= TOGETHER else packed
            self.connection.send_packed_command(pieces)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self.fault = error

    async def answered(self) -> None:
        """Let the event loop go on until an answer comes; none in time is a fault for `receive`."""
        if self.fault is not None or not self.waiting:
            return
        loop = asyncio.get_running_loop()
        socket = self.connection._get_socket()  # noqa: SLF001 - redis-py tells of it nowhere else
        if socket is None:  # it broke just now, which `receive` will find
            return
        came = loop.create_future()
        loop.add_reader(socket, _came, came)
        try:
            async with asyncio.timeout(self.connection.socket_timeout):
                await came
        except TimeoutError:
            # A process that was frozen meanwhile finds its answer there, and its time over.
            if not select.select((socket,), (), (), 0)[0]:
                self.fault = redis.TimeoutError("no answer in time")
        finally:
            loop.remove_reader(socket)

    def receive(self, commands: Sequence[Command]) -> list[Any]:
        """Their answers, errors among them as they are; the fault, for all that it left open."""
        answers: list[Any] = []
        for words, options in commands:
            if self.fault is not None:
                break
            try:
                answers.append(
                    self.node.parse_response(self.connection, words[0], **options)  # type: ignore[no-untyped-call]
                )
            except redis.ResponseError as error:
                answers.append(error)
            except redis.RedisError as error:
                self.fault = error
                break
            self.waiting -= 1
        return answers + [self.fault] * (len(commands) - len(answers))

    def close(self) -> None:
        """Give the connection back; one with answers still to come is of no use to anybody."""
        if self.waiting or self.fault is not None:
            self.connection.disconnect()  # type: ignore[no-untyped-call]
        self.node.connection_pool.release(self.connection)


def _came(answer: asyncio.Future[None]) -> None:
    if not answer.done():
        answer.set_result(None)


Lines = dict[str, Line]


@contextmanager
def lines_to(nodes: Mapping[str, redis.Redis]) -> Iterator[Lines]:
    """Borrow a connection of each node; one that cannot be had is a line with a fault.

    Args:
        nodes: clients by ``host:port``.
    """
    lines: Lines = {}
    try:
        for name, node in nodes.items():
            lines[name] = Line(node, node.connection_pool.get_connection())
        yield lines
    finally:
        for line in lines.values():
            line.close()


def ask(lines: Lines, commands: Mapping[str, Sequence[Command]]) -> dict[str, list[Any]]:
    """Send to all, then read from all."""
    for name, some in commands.items():
        lines[name].send(some)
    return {name: lines[name].receive(some) for name, some in commands.items()}


def ask_scripts(
    lines: Lines, commands: Mapping[str, Sequence[Command]], script: str
) -> dict[str, list[Any]]:
    """The same for calls of one script, which nodes that do not have it yet are given first."""
    return with_script(lines, commands, script, ask(lines, commands))


def with_script(
    lines: Lines,
    commands: Mapping[str, Sequence[Command]],
    script: str,
    answers: dict[str, list[Any]],
) -> dict[str, list[Any]]:
    """The answers, those from nodes that lacked the script asked for again with it."""
    missing = {
        name: [i for i, answer in enumerate(some) if isinstance(answer, NoScriptError)]
        for name, some in answers.items()
    }
    missing = {name: places for name, places in missing.items() if places}
    if missing:
        # NOSCRIPT proves that these calls did nothing.
        again: dict[str, list[Command]] = {
            name: [(("SCRIPT LOAD", script), {}), *(commands[name][i] for i in places)]
            for name, places in missing.items()
        }
        for name, (_, *some) in ask(lines, again).items():
            for place, answer in zip(missing[name], some, strict=True):
                answers[name][place] = answer
    return answers


def settle(lines: Lines, needs: Mapping[str, Durability]) -> None:
    """Return only when all that was written on these lines is durable, each on its own node.

    Raises:
        StoreUnavailable: it is not known to be durable; do not acknowledge it.
        redis.RedisError: a line broke.
    """
    replicas = {name: needs[name].promotable() for name in lines}
    questions = {name: needs[name].questions(replicas[name]) for name in lines}
    told: dict[str, Any] = {}
    while questions:
        asked: dict[str, list[Command]] = {}
        for name, left in tuple(questions.items()):
            question = next(left, None)
            if question is not None:
                asked[name] = [(question, {})]
            elif name in told:
                raise needs[name].unconfirmed(told[name], replicas[name])
            else:  # nothing is in doubt there
                del questions[name]
        for name, (answer,) in ask(lines, asked).items():
            if lines[name].fault is not None:
                raise answer
            told[name] = answer
            if needs[name].confirms(answer, replicas[name]):
                del questions[name]


@dataclass(frozen=True, slots=True)
class ClusterDurability(Durability):
    """The same for every primary of a cluster, each on its own.

    Attributes:
        nodes: what each one needs, by ``host:port``; one that joins later is added when it is met.
    """

    nodes: dict[str, Durability] = field(default_factory=dict)

    @classmethod
    def of_nodes(cls, nodes: Iterable[tuple[str, redis.Redis]], limit_ms: int) -> ClusterDurability:
        """Ask every primary what it needs.

        Raises:
            StoreUnavailable: one does not answer.
        """
        made = cls(local=True, limit_ms=limit_ms)
        for name, node in nodes:
            made.of_node(name, node)
        return made

    def of_node(self, name: str, node: redis.Redis) -> Durability:
        """What one primary needs."""
        if name not in self.nodes:
            alone = Durability.of(node, limit_ms=self.limit_ms)
            self.nodes[name] = replace(alone, census=Census(partial(counted_by_cluster, node)))
        return self.nodes[name]
