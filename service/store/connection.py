"""Connections to the store: bounded in time, never retried in silence, durable when asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    ReadOnlyError,
    RedisClusterException,
)
from redis.retry import Retry

from service.errors import ConfigurationError, StoreUnavailable
from service.store.faults import root_of, unavailable
from service.store.urls import RedisUrl, read_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.store.census import Census

TIMEOUT_S = 5.0
"""How long one call may take, connecting and answering each, before it is given up."""
IDLE_CHECK_S = 15
"""A connection idle for longer is tried with PING before it is used."""
FIRST_STEP_MS = 20
"""How long replicas are waited for before they are asked again; twice as long each time."""
SETTLE_LIMIT_MS = 3000
"""How long a write may take to be on disk; a server on ``everysec`` needs up to a second or two."""


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client of a store; connects at first use.

    It never sends a command twice: a call that timed out may have been done, and only its caller
    knows whether doing it again is harmless. (redis-py by itself retries three times where a
    client is built from a host name.) A connection that the server has closed in the meantime is
    noticed before it is used, and replaced.

    Args:
        url: in a form that ``urls`` reads: one server, a cluster, or a set with Sentinels.
        timeout_s: limit of each call, seconds.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    try:
        read = read_url(url)
        if read.form != "server":
            return _connect_to_several(read, timeout_s)
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
        raise ConfigurationError(f"AFTERVISIT_REDIS_URL cannot be read: {error}.") from None


def _connect_to_several(url: RedisUrl, timeout_s: float) -> redis.Redis:
    """The same for a cluster, or a set with Sentinels."""
    # Imported here, as both build on this module.
    from service.store.cluster import ClusterClient  # noqa: PLC0415
    from service.store.sentinel import WatchedPrimary  # noqa: PLC0415

    if url.form == "cluster":
        return ClusterClient(url, timeout_s)
    return WatchedPrimary.of(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=IDLE_CHECK_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


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
    except (redis.RedisError, RedisClusterException) as raised:
        error = root_of(raised)
        if isinstance(error, (AuthenticationError, AuthorizationError, NoPermissionError)):
            raise ConfigurationError(
                f"The store refuses us: {error}. Check the user and password in "
                f"AFTERVISIT_REDIS_URL, and that this user may run every command the service needs."
            ) from error
        sentence = unavailable(error)
        if sentence is None:
            raise
        if client is not None and isinstance(error, ReadOnlyError):
            client.connection_pool.disconnect(inuse_connections=False)
        raise StoreUnavailable(sentence) from error


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
        census: counts the replicas anew now and then, where somebody else promotes them.
    """

    local: bool
    replicas: int = 0
    waitaof: bool = True
    limit_ms: int = SETTLE_LIMIT_MS
    census: Census | None = None

    @classmethod
    def of(cls, client: redis.Redis, *, limit_ms: int = SETTLE_LIMIT_MS) -> Durability:
        """What this server needs, or each primary of this cluster.

        Raises:
            StoreUnavailable: it does not answer.
        """
        from service.store.cluster import ClusterClient  # noqa: PLC0415
        from service.store.lines import ClusterDurability  # noqa: PLC0415

        with store_errors(client):
            if isinstance(client, ClusterClient):
                return ClusterDurability.of_nodes(client.primaries(), limit_ms)
            census = getattr(client, "census", None)  # of a Sentinel set
            if census is None:
                replicas = int(client.info("replication").get("connected_slaves", 0))
            else:
                replicas = census.count()
            always = appendfsync(client) == "always"
            return cls(not always, replicas, has_waitaof(client), limit_ms, census)

    @property
    def waits(self) -> bool:
        """Whether a server may be asked at all (``lines.settle``)."""
        return (self.local and self.waitaof) or self.replicas > 0 or self.census is not None

    def promotable(self) -> int:
        """How many replicas have to confirm.

        Raises:
            redis.RedisError: nobody tells.
        """
        return self.replicas if self.census is None else self.census.count()

    def questions(self, replicas: int) -> Iterator[tuple[str | int, ...]]:
        """Commands that confirm what their connection wrote, to be sent until one does.

        A replica tells how far it has synced when it is asked, and else once a second: where it is
        asked a moment too early, asking again is quicker than waiting.
        """
        if not replicas and not (self.local and self.waitaof):
            return
        left, step = self.limit_ms, FIRST_STEP_MS if replicas else self.limit_ms
        while left > 0:
            step = min(step, left)
            yield ("WAITAOF", 1, replicas, step) if self.waitaof else ("WAIT", replicas, step)
            left, step = left - step, step * 2

    def confirms(self, answer: object, replicas: int) -> bool:
        """Whether such a command's answer confirms the write.

        Raises:
            StoreUnavailable: the server cannot say.
        """
        if isinstance(answer, redis.ResponseError):  # a replica by now, or its AOF was switched off
            raise StoreUnavailable(
                f"The store cannot say whether the write is on disk ({answer}). See that it is a "
                f"primary with appendonly yes, then try again."
            ) from answer
        on_disk, on_replicas = _counts(answer)
        return on_disk >= int(self.local) and on_replicas >= replicas

    def unconfirmed(self, answer: object, replicas: int) -> StoreUnavailable:
        """The error where no answer confirmed the write, the last one being this."""
        if self.census is not None:
            self.census.doubt()
        on_disk, on_replicas = _counts(answer)
        return StoreUnavailable(
            f"The store did not confirm within {self.limit_ms} ms that the write is on disk "
            f"(primary: {'yes' if on_disk else 'no'}; replicas: {on_replicas} of {replicas}). "
            f"Look at its disk and its replicas, then try again."
        )


def _counts(answer: object) -> tuple[int, int]:
    """Disks of the primary and of replicas that have the write; WAIT tells of replicas alone."""
    on_disk, on_replicas = answer if isinstance(answer, list) else (1, answer)
    return int(on_disk), int(cast("int", on_replicas))


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
