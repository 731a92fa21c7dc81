from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import redis

from service.errors import ConfigurationError, StoreUnavailable
from service.store.connection import Durability, connect, store_errors
from service.store.lines import Lines, ask, lines_to, settle
from service.store.scripts import ALONE
from tests.support.polling import until
from tests.support.servers import Server, redis_server, valkey_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INCREMENT = "return redis.call('INCR', KEYS[1])"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with valkey_server(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    with connect(server.url, timeout_s=0.5) as connected:
        yield connected


def test_a_call_that_timed_out_was_sent_once(server: Server, client: redis.Redis) -> None:
    script = client.script_load(INCREMENT)
    server.freeze()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match="in time"), store_errors(client):
        client.evalsha(script, 1, "count")
    assert time.monotonic() - begun < 8
    server.thaw()
    with server.client() as other:
        # What was sent is read and done before its connection's end is seen.
        until(lambda: other.info("clients")["connected_clients"] == 1, "all others are gone")
        assert other.get("count") == b"1"
        assert other.info("commandstats")["cmdstat_evalsha"]["calls"] == 1


def test_a_server_that_hangs_costs_no_more_than_the_limit(
    server: Server, client: redis.Redis
) -> None:
    client.ping()
    server.freeze()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable), store_errors(client):
        client.get("x")
    assert time.monotonic() - begun < 8
    server.thaw()


def test_a_restarted_server_is_used_again_at_once(server: Server, client: redis.Redis) -> None:
    client.set("kept", 1)
    server.kill()
    with pytest.raises(StoreUnavailable, match="cannot be reached"), store_errors(client):
        client.get("kept")
    server.start()
    assert client.get("kept") == b"1"


def test_a_restart_between_two_calls_is_not_noticed(server: Server, client: redis.Redis) -> None:
    client.set("kept", 1)
    server.kill()
    server.start()
    assert client.get("kept") == b"1"


def test_a_store_without_memory_takes_no_writes_and_says_so(client: redis.Redis) -> None:
    script = client.script_load(INCREMENT)
    client.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="maxmemory"), store_errors(client):
        client.set("a", 1)
    with pytest.raises(StoreUnavailable, match="maxmemory"), store_errors(client):
        client.evalsha(script, 1, "a")


def test_a_store_turned_replica_is_left_for_the_primary(client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", 1)
    with pytest.raises(StoreUnavailable, match="read-only replica"), store_errors(client):
        client.eval(INCREMENT, 1, "a")
    assert not any(c.is_connected for c in client.connection_pool._available_connections)


def test_a_store_that_cannot_write_to_its_disk_says_so(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, save="3600 1", appendonly="no", dbfilename="dump.rdb") as server,
        connect(server.url) as client,
    ):
        client.set("a", 1)
        (tmp_path / "dump.rdb" / "in the way").mkdir(parents=True)
        client.bgsave()
        until(
            lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "saving failed"
        )
        with pytest.raises(StoreUnavailable, match="disk"), store_errors(client):
            client.set("a", 2)
        with pytest.raises(StoreUnavailable, match="disk"), store_errors(client):
            client.eval(INCREMENT, 1, "a")
        pipeline = client.pipeline(transaction=False)
        pipeline.set("a", 3)
        with pytest.raises(StoreUnavailable, match="disk"), store_errors(client):
            pipeline.execute()
        server.kill()  # in order it would not go, as it cannot save


def test_a_store_in_a_long_script_says_so(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, busy_reply_threshold="1") as server,
        connect(server.url) as client,
        server.client() as other,
    ):

        def loop_for_ever() -> None:
            with pytest.raises(redis.ResponseError):
                other.eval("while true do end", 0)

        thread = threading.Thread(target=loop_for_ever)
        thread.start()

        def busy() -> bool:
            try:
                with store_errors(client):
                    client.get("x")
            except StoreUnavailable as error:
                return "long script" in str(error)
            return False

        until(busy, "the server tells that it is busy")
        client.script_kill()
        thread.join()


def test_a_wrong_password_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with valkey_server(tmp_path, tcp=True, requirepass="right") as server:
        url = server.url.replace("redis://", "redis://:wrong-secret@")
        with (
            connect(url) as client,
            pytest.raises(ConfigurationError, match="AFTERVISIT_REDIS_URL") as raised,
            store_errors(client),
        ):
            client.ping()
        assert "wrong-secret" not in str(raised.value)


def test_a_url_that_is_none_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="AFTERVISIT_REDIS_URL") as raised:
        connect("http://user:secret@host")
    assert "secret" not in str(raised.value)


def test_a_fault_of_our_own_is_not_taken_for_the_servers(client: redis.Redis) -> None:
    client.set("text", "a")
    with pytest.raises(redis.ResponseError), store_errors(client):
        client.rpush("text", "b")
    with pytest.raises(redis.exceptions.NoScriptError), store_errors(client):
        client.evalsha("0" * 40, 0)


# --- durability


@contextmanager
def line_to(client: redis.Redis) -> Iterator[Lines]:
    with lines_to({ALONE: client}) as lines:
        yield lines


def say(lines: Lines, *words: str | int) -> object:
    return ask(lines, {ALONE: [(words, {})]})[ALONE][0]


def settled(lines: Lines, durability: Durability) -> None:
    with store_errors():
        settle(lines, {ALONE: durability})


def test_a_server_that_always_syncs_is_not_asked(client: redis.Redis) -> None:
    durability = Durability.of(client)
    assert not durability.waits
    asked = client.info("stats")["total_commands_processed"]
    with line_to(client) as lines:
        settled(lines, durability)
    assert client.info("stats")["total_commands_processed"] == asked + 1


def test_everything_on_a_line_goes_over_one_connection(client: redis.Redis) -> None:
    with line_to(client) as one, line_to(client) as other:
        ids = {say(one, "CLIENT ID") for _ in range(3)}
        assert len(ids) == 1
        assert say(other, "CLIENT ID") not in ids


def test_the_connection_of_a_line_is_given_back(client: redis.Redis) -> None:
    with line_to(client) as lines:
        lent = say(lines, "CLIENT ID")
    assert client.client_id() == lent
    with pytest.raises(KeyError), line_to(client):
        raise KeyError
    assert client.client_id() == lent


def test_a_write_on_everysec_is_settled_by_waitaof(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, appendfsync="everysec") as server,
        connect(server.url) as client,
    ):
        durability = Durability.of(client)
        assert durability.waits
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            settled(one, durability)
        server.kill()
        server.start()
        assert client.get("opt-out") == b"1"


def test_a_write_that_is_never_synced_is_not_acknowledged(tmp_path: Path) -> None:
    with valkey_server(tmp_path, appendfsync="no") as server, connect(server.url) as client:
        durability = Durability.of(client, limit_ms=200)
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            with pytest.raises(StoreUnavailable, match="did not confirm within 200 ms"):
                settled(one, durability)


def test_a_connection_lost_after_the_write_confirms_nothing(tmp_path: Path) -> None:
    with (
        valkey_server(tmp_path, appendfsync="everysec") as server,
        connect(server.url) as client,
        server.client() as other,
    ):
        durability = Durability.of(client)
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            other.client_kill_filter(_id=say(one, "CLIENT ID"))
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                settled(one, durability)
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                settled(one, durability)
        assert client.ping()


def test_a_server_whose_log_was_switched_off_confirms_nothing(tmp_path: Path) -> None:
    with valkey_server(tmp_path, appendfsync="everysec") as server, connect(server.url) as client:
        durability = Durability.of(client)
        client.config_set("appendonly", "no")
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            with pytest.raises(StoreUnavailable, match="cannot say"):
                settled(one, durability)


@pytest.mark.parametrize("sync", ["always", "everysec"])
def test_a_write_is_settled_only_when_every_replica_has_it(tmp_path: Path, sync: str) -> None:
    with (
        valkey_server(
            tmp_path / "primary", tcp=True, appendfsync=sync, repl_diskless_sync_delay="0"
        ) as primary,
        connect(primary.url) as client,
        valkey_server(
            tmp_path / "replica", tcp=True, replicaof=f"127.0.0.1 {primary.port}"
        ) as replica,
        replica.client() as there,
    ):
        until(lambda: there.info("replication")["master_link_status"] == "up", "it follows")
        until(lambda: client.info("replication").get("slave0", {}).get("state") == "online", "seen")
        durability = Durability.of(client, limit_ms=1500)
        assert durability.replicas == 1
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            settled(one, durability)
            assert there.get("opt-out") == b"1"
            replica.freeze()
            say(one, "SET", "opt-out", 2)
            with pytest.raises(StoreUnavailable, match="replicas: 0 of 1"):
                settled(one, durability)
            replica.thaw()


def test_replicas_of_an_older_server_confirm_by_wait(tmp_path: Path) -> None:
    with (
        redis_server(tmp_path / "primary", tcp=True, repl_diskless_sync_delay="0") as primary,
        connect(primary.url) as client,
        redis_server(
            tmp_path / "replica", tcp=True, replicaof=f"127.0.0.1 {primary.port}"
        ) as replica,
        replica.client() as there,
    ):
        until(lambda: there.info("replication")["master_link_status"] == "up", "it follows")
        until(lambda: client.info("replication").get("slave0", {}).get("state") == "online", "seen")
        durability = Durability.of(client)
        with line_to(client) as one:
            say(one, "SET", "opt-out", 1)
            settled(one, durability)
            assert there.get("opt-out") == b"1"
