"""What doctor says of stores of several servers, and of URLs that are in the wrong form."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from service.bootstrap import open_core
from service.doctor.diagnose import diagnose
from service.errors import ConfigurationError
from service.findings import Finding
from service.settings import load_settings
from service.store.keyring import KeyRing
from tests.support.polling import until
from tests.support.servers import Server, free_port, valkey_server
from tests.support.sets import SERVICE, Watched, sentinel_set, valkey_cluster

BROKER = "redis://127.0.0.1:1/0"


def findings(data_dir: Path, redis_url: str, broker_url: str | None = BROKER) -> dict[str, Finding]:
    settings = load_settings(data_dir=data_dir, redis_url=redis_url, broker_url=broker_url)
    return {finding.name: finding for finding in diagnose(settings)}


def statuses(found: dict[str, Finding]) -> dict[str, str]:
    return {n: f.status for n, f in found.items() if n.startswith("store") and f.status != "ok"}


def test_a_set_that_can_fail_over_is_in_order(tmp_path: Path) -> None:
    with sentinel_set(tmp_path / "set") as watched:
        found = findings(tmp_path, watched.url, watched.url.replace("/0", "/1"))
        assert statuses(found) == {}
        assert found["store: sentinels"].detail.startswith("3 Sentinels answer")
        assert found["store: replicas"].detail == "1 replicas could take over."
        assert found["broker"].status == "ok"

        replica = watched.replicas[0]
        with replica.client() as client:
            client.config_set("appendonly", "no")
        assert statuses(findings(tmp_path, watched.url)) == {"store: replicas": "problem"}
        replica.kill()
        watched.sentinels[2].kill()
        found = findings(tmp_path, watched.url)
        assert found["store: sentinels"].status == "warning"
        assert str(watched.sentinels[2].port) in found["store: sentinels"].detail
        assert "does not answer" in found["store: replicas"].detail
        watched.sentinels[1].kill()
        until(lambda: _no_quorum(watched), "the last Sentinel has missed the others")
        found = findings(tmp_path, watched.url)
        assert found["store: sentinels"].status == "problem"
        assert "no fail-over could happen" in found["store: sentinels"].detail


def _no_quorum(watched: Watched) -> bool:
    with watched.sentinels[0].client() as client:
        try:
            client.execute_command("SENTINEL CKQUORUM", SERVICE)
        except redis.ResponseError:
            return True
        return False


def test_a_cluster_is_looked_at_node_by_node(tmp_path: Path) -> None:
    with valkey_cluster(tmp_path / "cluster") as cluster:
        found = findings(tmp_path, cluster.url)
        assert statuses(found) == {"store: replicas": "warning"}
        assert found["store: cluster"].detail == "3 primaries hold all slots."

        with cluster.primaries[1].client() as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        found = findings(tmp_path, cluster.url)
        assert found["store: eviction"].status == "problem"
        assert found["store: eviction"].detail.startswith(f"127.0.0.1:{cluster.primaries[1].port}:")

        settings = load_settings(data_dir=tmp_path, redis_url=cluster.url, broker_url=BROKER)
        with pytest.raises(ConfigurationError, match="noeviction"), open_core(settings):
            pass


def test_a_url_in_the_wrong_form_is_told_from_a_server_that_is_down(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "one", tcp=True) as alone:
        found = findings(tmp_path, f"redis+cluster://127.0.0.1:{alone.port}")
        assert "Cluster mode is not enabled" in found["store"].detail
        node = {"cluster_enabled": "yes", "cluster_port": str(free_port())}
        with valkey_server(tmp_path / "node", tcp=True, **node) as clustered:
            found = findings(tmp_path, clustered.url)
        assert found["store: form"].status == "problem"
        assert "redis+cluster://" in str(found["store: form"].remedy)
    with sentinel_set(tmp_path / "set") as watched:
        found = findings(tmp_path, watched.sentinels[0].url)
        assert "redis+sentinel://" in str(found["store: form"].remedy)
        found = findings(tmp_path, watched.url.replace(f"/{SERVICE}/", "/other/"))
        assert "names a primary" in found["store"].detail


def test_a_broker_has_to_be_chosen_for_several_servers(tmp_path: Path) -> None:
    with sentinel_set(tmp_path / "set") as watched:
        found = findings(tmp_path, watched.url, None)
        assert found["broker"].status == "problem"
        assert "AFTERVISIT_BROKER_URL" in str(found["broker"].remedy)
        settings = load_settings(data_dir=tmp_path, redis_url=watched.url)
        with pytest.raises(ConfigurationError, match="AFTERVISIT_BROKER_URL"), open_core(settings):
            pass


def test_another_hosts_keys_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "one", tcp=True) as server:
        _open(tmp_path / "first", server, None)
        with pytest.raises(ConfigurationError, match="AFTERVISIT_SECRET_KEYS") as told:
            _open(tmp_path / "second", server, None)
        assert "the same on every machine" in str(told.value)
        with pytest.raises(ConfigurationError, match="AFTERVISIT_SECRET_KEYS"):
            _open(tmp_path / "third", server, KeyRing.generate().text())
        _open(tmp_path / "fourth", server, (tmp_path / "first" / "secret_keys").read_text().strip())


def _open(data_dir: Path, server: Server, keys: str | None) -> None:
    settings = load_settings(data_dir=data_dir, redis_url=server.url, secret_keys=keys)
    with open_core(settings):
        pass
