"""A store that is a cluster: each call goes to the node that holds its slot.

redis-py's cluster client knows the nodes and their slots, and its own commands are used where one
is asked at a time. Its pipeline is not: after a time-out or a lost connection it sends every
command again, one by one, though the first may have been done. Here a call is repeated only where
a redirection proves that it was not done, and what is to be durable is confirmed on the connections
that the writes went over.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.cluster import ClusterNode
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    ReadOnlyError,
    RedisClusterException,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.retry import Retry

from service.errors import StoreUnavailable
from service.store.connection import IDLE_CHECK_S
from service.store.lines import (
    ClusterDurability,
    Command,
    Lines,
    Words,
    ask,
    ask_scripts,
    lines_to,
    settle,
)
from service.store.routed import RoutedPipeline
from service.store.urls import RedisUrl

TURNS = 10
"""How often a call is repeated that was redirected, before it is given up."""
PAUSE_S = 0.05
"""Longer by this before each repetition but the first: what redirects is being moved."""
_REDIRECTIONS = (AskError, TryAgainError)  # MovedError is an AskError
_CHANGES = (ClusterDownError, ReadOnlyError)
_TAG = re.compile(r"[^{*?\[\\]*\{[^}*?\[\\]+\}")
"""A pattern whose hash tag is one tag, and not a pattern itself."""


@dataclass
class _Batch:
    """What one node is asked, and for which of the commands each answer is (None for ASKING)."""

    node: redis.Redis
    commands: list[Command] = field(default_factory=list)
    places: list[int | None] = field(default_factory=list)


class _NoPool(redis.ConnectionPool):
    """In the place of a pool: every node has its own."""

    def get_connection(self, *_: object, **__: object) -> redis.Connection:
        raise TypeError("a cluster has no connection of its own; borrow one of a node")


class ClusterClient(redis.Redis):
    """A ``redis.Redis`` whose commands go to the node that holds their key.

    Its pipelines may touch any keys, one round trip for each node. Commands without a key are for
    `primaries`. It connects at first use, and asks for the nodes anew whenever one of them cannot
    be reached or redirects.
    """

    def __init__(
        self, url: RedisUrl, timeout_s: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(connection_pool=_NoPool())
        self._url = url
        self._timeout_s = timeout_s
        self._pause = pause
        self._lock = threading.Lock()
        self._opened: redis.RedisCluster | None = None

    @property
    def _cluster(self) -> redis.RedisCluster:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> redis.RedisCluster:
        (host, port), *others = self._url.hosts
        bracketed = f"[{host}]" if ":" in host else host
        return redis.RedisCluster(
            url=f"{'rediss' if self._url.tls else 'redis'}://{bracketed}:{port}",
            startup_nodes=[ClusterNode(*place) for place in others],  # type: ignore[no-untyped-call]
            # redis-py's cluster client drops this option.
            connection_pool_class=partial(redis.ConnectionPool, health_check_interval=IDLE_CHECK_S),
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            require_full_coverage=False,  # an uncovered slot is told by the call that needs it
            reinitialize_steps=1,
            **self._url.options,
        )

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - redis-py's own
        """Run one command where its key is."""
        return self._cluster.execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: ANN401, FBT001, FBT002
        """A pipeline; as a transaction all its keys have to be in one slot."""
        del shard_hint
        return RoutedPipeline(self, transaction=transaction)

    def scan_iter(self, match: Any = None, *args: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """Keys that match: on the node of the pattern's hash tag, else on every primary."""
        if match is not None and _TAG.match(match):
            nodes = [self.node_of(key_slot(match.encode()))[1]]
        else:
            nodes = [node for _, node in self.primaries()]
        for node in nodes:
            yield from node.scan_iter(match, *args, **options)

    def primaries(self) -> list[tuple[str, redis.Redis]]:
        """Every primary that holds slots, by ``host:port``, with a client of its own."""
        cluster = self._cluster
        return [(node.name, cluster.get_redis_connection(node)) for node in cluster.get_primaries()]  # type: ignore[no-untyped-call]

    def replicas(self) -> dict[str, redis.Redis]:
        """Clients of the replicas, by ``host:port``."""
        cluster = self._cluster
        return {node.name: cluster.get_redis_connection(node) for node in cluster.get_replicas()}  # type: ignore[no-untyped-call]

    def node_of(self, slot: int) -> tuple[str, redis.Redis]:
        """The primary that holds a slot, and a client of its own."""
        node = self._cluster.nodes_manager.get_node_from_slot(slot)
        return node.name, self._cluster.get_redis_connection(node)

    def slot_of(self, words: Words) -> int:
        """The slot of a command's keys.

        Raises:
            TypeError: it has none, and so is for one of the `primaries`.
        """
        slot = self._cluster.determine_slot(*words)
        if slot is None:
            raise TypeError(f"{words[0]} has no key, so it is for one of the primaries")
        return int(slot)

    def run(
        self,
        commands: Sequence[Command],
        slots: Sequence[int],
        *,
        script: str = "",
        durability: ClusterDurability | None = None,
    ) -> list[Any]:
        """Run commands where their slots are, all nodes at once; answers in order.

        Only calls that were answered by a redirection, and so were not done, are repeated.

        Args:
            commands: calls of one script, or any others.
            slots: of each command.
            script: the text of that script.
            durability: to return only when what was written is durable, on every node.

        Raises:
            redis.RedisError: a node cannot be reached; a call may have been done.
            StoreUnavailable: something may have been written, but is not to be relied upon.
        """
        answers: list[Any] = [None] * len(commands)
        waiting = list(range(len(commands)))
        for turn in range(TURNS):
            batches = self._batches(commands, slots, answers, waiting)
            with (
                self._refreshing(),
                lines_to({n: batch.node for n, batch in batches.items()}) as to,
            ):
                asked = {name: batch.commands for name, batch in batches.items()}
                told = ask_scripts(to, asked, script) if script else ask(to, asked)
                _check(to)
                if durability is not None:
                    settle(to, {n: durability.of_node(n, line.node) for n, line in to.items()})
            for name, batch in batches.items():
                for place, answer in zip(batch.places, told[name], strict=True):
                    if place is not None:
                        answers[place] = answer
            waiting = [i for i in waiting if isinstance(answers[i], _REDIRECTIONS)]
            if not waiting:
                break
            self._pause(turn * PAUSE_S)
            self._follow([answers[i] for i in waiting])
        if any(isinstance(answer, _CHANGES) for answer in answers):
            self._try_refresh()
        return answers

    def _batches(
        self,
        commands: Sequence[Command],
        slots: Sequence[int],
        answers: Sequence[Any],
        waiting: Sequence[int],
    ) -> dict[str, _Batch]:
        """What to send to whom, by ``host:port``."""
        batches: dict[str, _Batch] = {}
        for i in waiting:
            ask_there = isinstance(answers[i], AskError) and not isinstance(answers[i], MovedError)
            with self._refreshing():
                name, node = self._named(answers[i]) if ask_there else self.node_of(slots[i])
            batch = batches.setdefault(name, _Batch(node))
            if ask_there:
                batch.commands.append((("ASKING",), {}))
                batch.places.append(None)
            batch.commands.append(commands[i])
            batch.places.append(i)
        return batches

    def _named(self, error: AskError) -> tuple[str, redis.Redis]:
        """The node that a redirection names."""
        node = self._cluster.get_node(error.host, error.port)  # type: ignore[no-untyped-call]
        if node is None:
            raise redis.ConnectionError(
                f"the cluster redirects to {error.node_addr}, an unknown node"
            )
        return node.name, self._cluster.get_redis_connection(node)

    def _follow(self, errors: Sequence[Exception]) -> None:
        """Learn from redirections where slots have gone."""
        moved = [error for error in errors if isinstance(error, MovedError)]
        if moved:
            self.refresh()
        for error in moved:
            # A node that has not heard of it yet may have told us the old place once more.
            if error.host and self.node_of(error.slot_id)[0] != f"{error.host}:{error.port}":
                self._cluster.nodes_manager.move_slot(error)

    @contextmanager
    def _refreshing(self) -> Iterator[None]:
        """Where a node is lost, ask for the nodes anew before the error goes on."""
        try:
            yield
        except (redis.ConnectionError, redis.TimeoutError, SlotNotCoveredError, StoreUnavailable):
            self._try_refresh()
            raise

    def _try_refresh(self) -> None:
        with suppress(redis.RedisError, RedisClusterException):
            self.refresh()

    def refresh(self) -> None:
        """Ask for the nodes and their slots anew.

        Raises:
            RedisClusterException: none of them answers.
        """
        self._cluster.nodes_manager.initialize(additional_startup_nodes_info=list(self._url.hosts))

    def close(self) -> None:
        """Close the connections to all nodes."""
        opened, self._opened = getattr(self, "_opened", None), None
        if opened is not None:
            opened.close()


def _check(lines: Lines) -> None:
    fault = next((line.fault for line in lines.values() if line.fault is not None), None)
    if fault is not None:
        raise fault
