from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.errors import ConfigurationError, StoreUnavailable
from service.store.connection import Durability, connect
from service.store.server_check import check_server, require_fit
from tests.support.servers import redis_server, valkey_server

if TYPE_CHECKING:
    from pathlib import Path

    import redis

RUN = {"redis": redis_server, "valkey": valkey_server}


def worst(client: redis.Redis) -> dict[str, str]:
    return {f.name: f.status for f in check_server(client) if f.status != "ok"}


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_set_up_as_asked_passes(tmp_path: Path, kind: str) -> None:
    with RUN[kind](tmp_path) as server, connect(server.url) as client:
        assert worst(client) == {}
        assert require_fit(client) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_that_evicts_is_refused(tmp_path: Path, kind: str, policy: str) -> None:
    with RUN[kind](tmp_path, maxmemory_policy=policy) as server, connect(server.url) as client:
        assert worst(client) == {"store: eviction": "problem"}
        with pytest.raises(ConfigurationError, match=rf"{policy}.*Set maxmemory-policy noeviction"):
            require_fit(client)


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_server_without_a_log_of_writes_is_refused(tmp_path: Path, kind: str) -> None:
    with RUN[kind](tmp_path, appendonly="no") as server, connect(server.url) as client:
        assert worst(client) == {"store: durability": "problem"}
        with pytest.raises(ConfigurationError, match="appendonly yes"):
            require_fit(client)


def test_everysec_passes_with_a_warning_where_there_is_waitaof(tmp_path: Path) -> None:
    with valkey_server(tmp_path, appendfsync="everysec") as server, connect(server.url) as client:
        (finding,) = require_fit(client)
        assert (finding.name, finding.status) == ("store: durability", "warning")


def test_everysec_is_refused_where_there_is_no_waitaof(tmp_path: Path) -> None:
    with redis_server(tmp_path, appendfsync="everysec") as server, connect(server.url) as client:
        assert worst(client) == {"store: durability": "problem"}


def test_a_replica_is_refused(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, replicaof="127.0.0.1 1") as server,
        connect(server.url) as client,
    ):
        assert worst(client) == {"store: role": "problem"}


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_managed_server_that_forbids_config_is_taken_with_what_to_check(
    tmp_path: Path, kind: str
) -> None:
    with (
        RUN[kind](tmp_path, rename_command='CONFIG ""') as server,
        connect(server.url) as client,
    ):
        (finding,) = require_fit(client)
        assert (finding.name, finding.status) == ("store: durability", "warning")
        assert "does not tell" in finding.detail
        assert Durability.of(client).waits == (kind == "valkey")


def test_a_user_without_the_right_to_config_is_taken_too(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, tcp=True, user="app on >made-up ~* +@all -config") as server,
        connect(server.url.replace("redis://", "redis://app:made-up@")) as client,
    ):
        assert worst(client) == {"store: durability": "warning"}
        assert Durability.of(client).waits


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with connect(f"unix://{tmp_path}/none") as client, pytest.raises(StoreUnavailable):
        check_server(client)
