"""Whether the servers of a cluster, or of a set with Sentinels, can take each other's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import redis

from service.findings import Finding
from service.store.cluster import ClusterClient
from service.store.connection import store_errors
from service.store.sentinel import WatchedPrimary

FEWEST_VOTERS: Final = 3
"""Two of three can agree while one is down; two cannot once one is."""


def check_set(client: redis.Redis) -> list[Finding]:
    """Look at replicas and at those who promote them; nothing where there is one server.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with store_errors(client):
        if isinstance(client, WatchedPrimary):
            return [_sentinels(client), _replicas(_of_sentinels(client), least=1)]
        if isinstance(client, ClusterClient):
            primaries = client.primaries()
            return [_cluster(client), _replicas(client.replicas(), least=len(primaries))]
    return []


def _sentinels(client: WatchedPrimary) -> Finding:
    name, total, asked, silent, refusal = "store: sentinels", 0, 0, [], ""
    for sentinel in tuple(client.sentinels.sentinels):
        asked += 1
        try:
            state = _facts(sentinel.sentinel_master(client.service))
            total = max(total, state["num-other-sentinels"] + 1)
            sentinel.execute_command("SENTINEL CKQUORUM", client.service)  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:
            refusal = str(error)
        except redis.RedisError:
            place = sentinel.connection_pool.connection_kwargs
            silent.append(f"{place['host']}:{place['port']}")
    if refusal:
        return Finding(
            name,
            "problem",
            f"A Sentinel says that no fail-over could happen: {refusal.rstrip('.')}.",
            "Bring the missing Sentinels back, or correct their quorum.",
        )
    if silent:
        return Finding(
            name,
            "warning",
            f"{len(silent)} of {asked} Sentinels do not answer: {', '.join(silent)}.",
            "Bring them back, or take them out of AFTERVISIT_REDIS_URL.",
        )
    if total < FEWEST_VOTERS or asked < total:
        return Finding(
            name,
            "warning",
            f"There are {total} Sentinels, and AFTERVISIT_REDIS_URL names {asked} of them.",
            "Run at least three, each on a machine of its own, and name them all.",
        )
    return Finding(name, "ok", f"{total} Sentinels answer, and could agree on a fail-over.")


def _of_sentinels(client: WatchedPrimary) -> Mapping[str, redis.Redis]:
    """Replicas that the Sentinels know, by ``host:port``."""
    found: dict[str, redis.Redis] = {}
    for host, port in client.known_replicas():
        found[f"{host}:{port}"] = client.server_at(host, port)
    return found


def _cluster(client: ClusterClient) -> Finding:
    name = "store: cluster"
    primaries = client.primaries()
    for place, node in primaries:
        facts = _facts(node.execute_command("CLUSTER INFO"))  # type: ignore[no-untyped-call]
        if facts.get("cluster_state") != "ok":
            return Finding(
                name,
                "problem",
                f"{place} says that the cluster is {facts.get('cluster_state')}.",
                "Bring its missing nodes back, or give their slots to others.",
            )
    if len(primaries) < FEWEST_VOTERS:
        return Finding(
            name,
            "warning",
            f"The cluster has {len(primaries)} primaries: too few to agree that one is lost.",
            "Give it at least three primaries, each on a machine of its own.",
        )
    return Finding(name, "ok", f"{len(primaries)} primaries hold all slots.")


def _replicas(replicas: Mapping[str, redis.Redis], *, least: int) -> Finding:
    name = "store: replicas"
    for place, replica in replicas.items():
        try:
            facts = _facts(replica.info())
        except redis.RedisError as error:
            return Finding(
                name,
                "problem",
                f"The replica {place} does not answer ({error}): as it may come back and be "
                f"promoted, no opt-out is acknowledged and nothing is sent without it.",
                "Bring it back, or take it out for good: SENTINEL RESET on every Sentinel, or "
                "CLUSTER FORGET on every node.",
            )
        finally:
            replica.close()
        if not facts.get("aof_enabled") or facts.get("maxmemory_policy") != "noeviction":
            return Finding(
                name,
                "problem",
                f"The replica {place} keeps no append-only file, or may throw data away: no "
                f"opt-out would be acknowledged, as it could be promoted.",
                "Set appendonly yes, appendfsync always and maxmemory-policy noeviction there.",
            )
    if len(replicas) < least:
        return Finding(
            name,
            "warning",
            f"There are {len(replicas)} replicas for {least} primaries: where one without a "
            f"replica is lost, the store waits for it.",
            "Add a replica for every primary, on another machine.",
        )
    return Finding(name, "ok", f"{len(replicas)} replicas could take over.")


def _facts(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - redis-py's types allow for more
    return dict(answer)
