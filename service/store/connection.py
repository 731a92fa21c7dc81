"""Connections to the store: bounded in time, never retried in silence, durable when asked."""

from __future__ import annotations

import copy
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
from redis.retry import Retry

from service.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 5.0
"""How long one call may take, connecting and answering each, before it is given up."""
IDLE_CHECK_S = 15
"""A connection idle for longer is tried with PING before it is used."""
SETTLE_LIMIT_MS = 3000
"""How long a write may take to be on disk; a server on ``everysec`` needs up to a second or two."""
_SENTENCES: tuple[tuple[tuple[type[redis.RedisError], ...], str], ...] = (
    (
        (redis.BusyLoadingError,),
        "The store is loading its data after a start. Try again in a moment.",
    ),
    (
        (redis.TimeoutError,),
        "The store did not answer in time. Look at its load and disk, then try again.",
    ),
    (
        (redis.ConnectionError,),
        "The store cannot be reached: {error}. See that it runs, then try again.",
    ),
    (
        (ReadOnlyError,),
        (
            "The store's server has become a read-only replica. Try again; if it stays so, point "
            "AFTERVISIT_REDIS_URL at the primary."
        ),
    ),
    (
        (OutOfMemoryError,),
        "The store is out of memory and takes no writes. Raise maxmemory, then try again.",
    ),
    (
        (ClusterDownError, TryAgainError),
        "The store's cluster is changing or incomplete. Try again in a moment.",
    ),
)
_STATE_SENTENCES = {
    "MISCONF": "The store cannot write to its disk and takes no writes. Free the disk, then try "
    "again.",
    "NOREPLICAS": "The store lacks the replicas it is told to have, and takes no writes. Bring "
    "them back, then try again.",
    "BUSY": "The store is busy with a long script. Try again in a moment.",
    "UNKILLABLE": "The store is busy with a long script. Try again in a moment.",
}
_STATE = re.compile(rf"(?:^|: )({'|'.join(_STATE_SENTENCES)})\b")


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client of a store; connects at first use.

    It never sends a command twice: a call that timed out may have been done, and only its caller
    knows whether doing it again is harmless. (redis-py by itself retries three times where a
    client is built from a host name.) A connection that the server has closed in the meantime is
    noticed before it is used, and replaced.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        timeout_s: limit of each call, seconds.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            **({} if url.startswith("unix:") else {"socket_connect_timeout": timeout_s}),
            health_check_interval=IDLE_CHECK_S,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            # RESP2: the replies of scripts are the same in both, and RESP3 would let the server
            # ask the client to move to another connection between a write and its confirmation.
            protocol=2,
        )
    except ValueError as error:
        raise ConfigurationError(
            f"AFTERVISIT_REDIS_URL cannot be read ({error}). Give redis://host:6379/0, "
            f"rediss://user:password@host:6379/0 or unix:///path/to/socket?db=0."
        ) from None


@contextmanager
def store_errors(client: redis.Redis | None = None) -> Iterator[None]:
    """Turn what goes wrong at the store into our own errors; also a decorator.

    Errors of our own making (a wrong type, a fault in a script, NOSCRIPT) pass as they are.

    Args:
        client: its idle connections are dropped when the server turns out to be a replica, so
            that the next call asks anew who the primary is.

    Raises:
        StoreUnavailable: it does not answer, or takes no writes; the call may have been done.
        ConfigurationError: it refuses our name and password, or forbids the command.
    """
    try:
        yield
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        raise ConfigurationError(
            f"The store refuses us: {error}. Check the user and password in AFTERVISIT_REDIS_URL, "
            f"and that this user may run every command the service needs."
        ) from error
    except redis.RedisError as error:
        sentence = _unavailable(error)
        if sentence is None:
            raise
        if client is not None and isinstance(error, ReadOnlyError):
            client.connection_pool.disconnect(inuse_connections=False)
        raise StoreUnavailable(sentence) from error


def _unavailable(error: redis.RedisError) -> str | None:
    """What to tell of an error that is the server's state, None for one that is our fault."""
    for kinds, sentence in _SENTENCES:
        if isinstance(error, kinds):
            return sentence.format(error=str(error).rstrip("."))
    code = _STATE.search(str(error))
    return _STATE_SENTENCES[code[1]] if code else None


class _OneConnection:
    """A pool of one connection, which it never replaces.

    A pipeline of redis-py takes a connection from its pool even where its client has one of its
    own; and a broken connection is replaced before the next command. Either would let a
    confirmation be asked on another connection than the write's, and WAITAOF then confirms at
    once, for nothing was written there.
    """

    def __init__(self, pool: redis.ConnectionPool, connection: redis.Connection) -> None:
        self._pool = pool
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest of a pool is the pool's own
        return getattr(self._pool, name)

    def get_connection(self, *_: object, **__: object) -> redis.Connection:
        if not self._connection.is_connected:
            raise redis.ConnectionError("the connection broke in the middle of a write")
        return self._connection

    def release(self, connection: redis.Connection) -> None:
        """Keep it until the borrower gives it back."""

    def disconnect(self, *, inuse_connections: bool = True) -> None:
        """Leave the other connections of the pool alone."""


@contextmanager
def borrowed(client: redis.Redis) -> Iterator[redis.Redis]:
    """A client whose commands and pipelines all go over one connection; not for two threads.

    Raises:
        redis.RedisError: there is no connection to be had; it broke.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    one = copy.copy(client)  # to build a client anew takes longer than to ask the server
    one.connection_pool = cast("redis.ConnectionPool", _OneConnection(pool, connection))
    one.auto_close_connection_pool = False
    try:
        yield one
    finally:
        pool.release(connection)


@dataclass(frozen=True, slots=True)
class Durability:
    """How a write is made to outlive a power cut, and the loss of the primary.

    Attributes:
        local: the server has to be asked whether a write is on its disk (its AOF is not synced
            before every answer).
        replicas: how many replicas must have it on disk too: all that the primary had at our
            start, as any of them may be promoted. Restart the service when replicas are taken away.
        waitaof: the server has WAITAOF (Redis 7.2, Valkey); else replicas confirm by WAIT, in
            memory.
        limit_ms: how long a confirmation may take.
    """

    local: bool
    replicas: int = 0
    waitaof: bool = True
    limit_ms: int = SETTLE_LIMIT_MS

    @classmethod
    def of(cls, client: redis.Redis, *, limit_ms: int = SETTLE_LIMIT_MS) -> Durability:
        """What this server needs.

        Raises:
            StoreUnavailable: it does not answer.
        """
        with store_errors(client):
            replicas = int(client.info("replication").get("connected_slaves", 0))
            always = appendfsync(client) == "always"
            return cls(not always, replicas, has_waitaof(client), limit_ms)

    @property
    def waits(self) -> bool:
        """Whether `settle` asks the server at all."""
        return (self.local and self.waitaof) or self.replicas > 0

    def settle(self, connection: redis.Redis) -> None:
        """Return only when all that was written on this connection is durable.

        Args:
            connection: from `borrowed`; the very one that the writes went over.

        Raises:
            StoreUnavailable: it is not known to be durable; do not acknowledge it.
            TypeError: the connection is not a borrowed one.
        """
        if not self.waits:
            return
        if not isinstance(connection.connection_pool, _OneConnection):
            raise TypeError("settle() needs the borrowed connection that the write went over")
        with store_errors():
            on_disk, on_replicas = self._confirmed(connection)
        if on_disk < int(self.local) or on_replicas < self.replicas:
            raise StoreUnavailable(
                f"The store did not confirm within {self.limit_ms} ms that the write is on disk "
                f"(primary: {'yes' if on_disk else 'no'}; replicas: {on_replicas} of "
                f"{self.replicas}). Look at its disk and its replicas, then try again."
            )

    def _confirmed(self, connection: redis.Redis) -> tuple[int, int]:
        if not self.waitaof:
            return 1, int(connection.wait(self.replicas, self.limit_ms))
        try:
            on_disk, on_replicas = connection.waitaof(1, self.replicas, self.limit_ms)
        except redis.ResponseError as error:  # a replica by now, or its AOF was switched off
            raise StoreUnavailable(
                f"The store cannot say whether the write is on disk ({error}). See that it is a "
                f"primary with appendonly yes, then try again."
            ) from error
        return int(on_disk), int(on_replicas)


def appendfsync(client: redis.Redis) -> str | None:
    """The server's sync policy, None where it does not tell (a managed service).

    Raises:
        redis.RedisError: it does not answer.
    """
    try:
        setting: str | None = client.config_get("appendfsync").get("appendfsync")
    except redis.ResponseError:
        return None
    return setting


def has_waitaof(client: redis.Redis) -> bool:
    """Whether the server knows WAITAOF (Redis 7.2, Valkey).

    Raises:
        redis.RedisError: it does not answer.
    """
    try:
        return bool(client.command_list(pattern="waitaof"))
    except redis.ResponseError:
        version = str(client.info("server").get("redis_version", "0"))
        return tuple(int(part) for part in version.split(".")[:2]) >= (7, 2)
