"""One connection of a client, borrowed for a write and the question whether it is durable."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


class OneConnection:
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
        """The one, as long as it lives."""
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
    one.connection_pool = cast("redis.ConnectionPool", OneConnection(pool, connection))
    one.auto_close_connection_pool = False
    try:
        yield one
    finally:
        pool.release(connection)
