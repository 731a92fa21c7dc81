"""Stores of several servers: a cluster, and a set watched by Sentinels; all plain processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import redis
from redis.crc import key_slot

from tests.support.polling import until
from tests.support.servers import Server, free_port, redis_server, sentinel_server, valkey_server

SLOTS = 16384
NODE_TIMEOUT_MS = 2000
SERVICE = "drip"


class Store(Protocol):
    """What the service can be pointed at: a server, or a set of them."""

    @property
    def url(self) -> str:
        """For AFTERVISIT_REDIS_URL."""

    def flush(self) -> None:
        """Throw all data away."""


@dataclass
class Cluster:
    """Primaries with the slots spread evenly over them, and replicas of some."""

    primaries: list[Server]
    replicas: list[Server]

    @property
    def url(self) -> str:
        nodes = ",".join(f"127.0.0.1:{server.port}" for server in self.nodes)
        return f"redis+cluster://{nodes}"

    @property
    def nodes(self) -> list[Server]:
        return [*self.primaries, *self.replicas]

    def node_of(self, key: str) -> Server:
        """The server that holds a key now."""
        return self.holder(key_slot(key.encode()))

    def holder(self, slot: int) -> Server:
        """The server that holds a slot; waits while a slot is being handed over."""

        def found() -> Server | None:
            return next((server for server in self.nodes if self.holds(server, slot)), None)

        return cast("Server", until(found, f"somebody holds slot {slot}", limit_s=20))

    def holds(self, server: Server, slot: int) -> bool:
        """Whether a server says that it holds a slot."""
        if server.process is None or server.process.poll() is not None:
            return False
        with server.client() as client:
            return any(
                first <= slot <= last and port == server.port
                for first, last, (_, port, *_), *_ in raw(client, "CLUSTER SLOTS")
            )

    def flush(self) -> None:
        for server in self.primaries:
            with server.client() as client:
                client.flushall()

    def whole(self) -> bool:
        """Whether every node that lives knows of a whole cluster."""
        return all(self._whole(server) for server in self.nodes if server.process is not None)

    def _whole(self, server: Server) -> bool:
        with server.client(decode_responses=True) as client:
            facts = client.cluster("INFO")
            return (
                facts["cluster_state"] == "ok"
                and int(facts["cluster_slots_ok"]) == SLOTS
                and int(facts["cluster_known_nodes"]) == len(self.nodes)
            )


def raw(client: redis.Redis, *words: str) -> Any:  # noqa: ANN401 - whatever it answers
    """A command's answer as the server gave it."""
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*words)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


@contextmanager
def valkey_cluster(
    directory: Path, *, primaries: int = 3, replicas: int = 0, **config: str
) -> Iterator[Cluster]:
    """Run a cluster of the bundled valkey-server; replica ``n`` follows primary ``n``."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                valkey_server(
                    directory / f"node-{number}",
                    tcp=True,
                    cluster_enabled="yes",
                    cluster_port=str(free_port()),
                    cluster_node_timeout=str(NODE_TIMEOUT_MS),
                    repl_diskless_sync_delay="0",
                    **config,
                )
            )
            for number in range(primaries + replicas)
        ]
        cluster = Cluster(servers[:primaries], servers[primaries:])
        _assign(cluster)
        until(cluster.whole, "the cluster is whole", limit_s=30)
        for replica, primary in zip(cluster.replicas, cluster.primaries, strict=False):
            follow(replica, primary)
        yield cluster


def _assign(cluster: Cluster) -> None:
    """Give each primary its slots, and make all nodes known to each other."""
    first = cluster.primaries[0]
    share = SLOTS // len(cluster.primaries)
    for number, server in enumerate(cluster.nodes):
        with server.client() as client:
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if server in cluster.primaries:
                last = SLOTS - 1 if server is cluster.primaries[-1] else (number + 1) * share - 1
                client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
            if server is not first:
                bus = first.config["cluster-port"]
                client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, bus)


def follow(replica: Server, primary: Server) -> None:
    """Make a node of a cluster the replica of another, and wait until it is in step."""
    with replica.client() as client, primary.client() as other:
        identifier = other.execute_command("CLUSTER MYID")
        client.execute_command("CLUSTER REPLICATE", identifier)
        until(partial(_in_step, client), "the replica follows", limit_s=30)


def _in_step(client: redis.Redis) -> bool:
    facts = client.info("replication")
    return facts.get("role") == "slave" and facts.get("master_link_status") == "up"


@dataclass
class Watched:
    """A primary, its replicas, and the Sentinels that watch them."""

    servers: list[Server]
    sentinels: list[Server]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}/0"

    @property
    def primary(self) -> Server:
        """Whom the first Sentinel names."""
        with self.sentinels[0].client() as client:
            port = int(raw(client, "SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)[1])
        return next(server for server in self.servers if server.port == port)

    @property
    def replicas(self) -> list[Server]:
        primary = self.primary
        return [server for server in self.servers if server is not primary]

    def flush(self) -> None:
        with self.primary.client() as client:
            client.flushall()

    def await_another(self, than: Server, limit_s: float = 30) -> Server:
        """The new primary, as soon as all Sentinels name it and it takes writes."""

        def found() -> bool:
            for sentinel in self.sentinels:
                with sentinel.client() as client:
                    if (
                        int(raw(client, "SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)[1])
                        == than.port
                    ):
                        return False
            with self.primary.client() as client:
                return bool(client.info("replication")["role"] == "master")

        until(found, "another primary is named", limit_s=limit_s)
        return self.primary


@contextmanager
def started_store(kind: str, directory: Path) -> Iterator[Store]:
    """Run a store of a kind: ``valkey``, ``redis``, ``cluster`` or ``sentinel``."""
    start: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
        "valkey": valkey_server,
        "redis": redis_server,
        "cluster": valkey_cluster,
        "sentinel": sentinel_set,
    }
    with start[kind](directory) as store:
        yield store


@contextmanager
def sentinel_set(
    directory: Path, *, replicas: int = 1, never: int = 0, **config: str
) -> Iterator[Watched]:
    """Run a primary, replicas, and three Sentinels of which two have to agree.

    Args:
        directory: for all their files.
        replicas: how many.
        never: how many of them are never to be promoted.
        config: of all servers.
    """
    with ExitStack() as stack:

        def started(name: str, **more: str) -> Server:
            return stack.enter_context(
                valkey_server(
                    directory / name,
                    tcp=True,
                    repl_diskless_sync_delay="0",
                    **{**config, **more},
                )
            )

        primary = started("primary")
        place = f"127.0.0.1 {primary.port}"
        followers = [
            started(f"replica-{n}", replicaof=place, replica_priority="0" if n < never else "100")
            for n in range(replicas)
        ]
        for server in followers:
            with server.client() as client:
                until(partial(_in_step, client), "the replica follows", limit_s=30)
        sentinels = [
            stack.enter_context(sentinel_server(directory / f"sentinel-{n}", SERVICE, primary.port))
            for n in range(3)
        ]
        until(lambda: all(_knows(s, replicas) for s in sentinels), "they know all", limit_s=30)
        yield Watched([primary, *followers], sentinels)


def _knows(server: Server, replicas: int) -> bool:
    with server.client() as client:
        state = client.sentinel_master(SERVICE)
        return bool(state["num-slaves"] == replicas and state["num-other-sentinels"] == 2)
