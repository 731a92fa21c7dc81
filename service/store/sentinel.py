"""A store of one primary and its replicas, watched by Sentinels that name the primary."""

from __future__ import annotations

from functools import partial
from typing import Any

import redis
from redis.sentinel import Sentinel, SentinelConnectionPool

from service.store.census import Census, counted_by_sentinels, known_to_sentinels
from service.store.urls import RedisUrl


class WatchedPrimary(redis.Redis):
    """A client of whichever server the Sentinels name as the primary.

    Each new connection asks them. One that turns out to lead to a replica is closed, and so are
    the idle ones as soon as the Sentinels name another primary.

    Attributes:
        service: the name that the Sentinels know the set by.
        sentinels: the Sentinels.
        census: counts the replicas that they could promote.
        server_options: what redis-py connects to the servers with.
    """

    service: str
    sentinels: Sentinel
    census: Census
    server_options: dict[str, Any]

    @classmethod
    def of(cls, url: RedisUrl, **options: Any) -> WatchedPrimary:  # noqa: ANN401 - redis-py's own
        """A client; connects at first use.

        Args:
            url: of the form ``sentinel``.
            options: time-outs and the like, for servers and Sentinels.
        """
        sentinels = Sentinel(  # type: ignore[no-untyped-call]
            url.hosts, sentinel_kwargs={"ssl": url.tls, **url.sentinel_options, **options}
        )
        server_options = {"ssl": url.tls, **url.options, **options}
        pool = SentinelConnectionPool(url.service, sentinels, **server_options)  # type: ignore[no-untyped-call]
        client = cls(connection_pool=pool)
        client.auto_close_connection_pool = True
        client.service, client.sentinels = url.service, sentinels
        client.server_options = server_options
        client.census = Census(partial(counted_by_sentinels, sentinels, url.service))
        return client

    def known_replicas(self) -> set[tuple[str, int]]:
        """Where the replicas are that any of the Sentinels knows and could promote."""
        return known_to_sentinels(self.sentinels, self.service) or set()

    def server_at(self, host: str, port: int) -> redis.Redis:
        """A client of one server of the set, with the same user, password and encryption."""
        return redis.Redis(host=host, port=port, **self.server_options)

    def close(self) -> None:
        """Close the connections to servers and Sentinels."""
        super().close()
        self.sentinels.close()
