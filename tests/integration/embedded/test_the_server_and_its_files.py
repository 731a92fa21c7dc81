from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import kombu
import pytest
import redis

from service.errors import ConfigurationError, StoreUnavailable
from service.store import embedded_server
from service.store.connection import connect
from service.store.embedded import broker_url, embedded
from service.store.server_check import check_server
from tests.support.polling import until
from tests.support.servers import data_dir_for_embedded, embedded_servers

if TYPE_CHECKING:
    from collections.abc import Iterator


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def newest_incremental_file(data_dir: Path) -> Path:
    return max((data_dir / "valkey" / "appendonlydir").glob("*.incr.aof"))


def write_and_kill(data_dir: Path, count: int) -> None:
    with embedded(data_dir, hold=True) as url:
        with redis.Redis.from_url(url) as client:
            for number in range(count):
                client.rpush("written", f"entry {number}")
        (server,) = embedded_servers(data_dir)
        server.kill()
        until(lambda: not embedded_servers(data_dir), "the server is gone")


@pytest.fixture
def deep_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory whose path is longer than a socket's may be."""
    with tempfile.TemporaryDirectory(prefix="av-") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        with data_dir_for_embedded(tmp_path / ("deep" * 30)) as directory:
            yield directory


def test_the_server_is_reached_by_its_owner_only_and_has_no_port(data_dir: Path) -> None:
    with embedded(data_dir, hold=False):
        home = data_dir / "valkey"
        (server,) = embedded_servers(data_dir)
        assert mode(home / "valkey.sock") == 0o600
        assert mode(home) == 0o700
        assert server.net_connections("inet") == []
        assert all(mode(path) & 0o077 == 0 for path in (home / "appendonlydir").iterdir())


def test_the_server_passes_the_check_that_any_store_has_to_pass(data_dir: Path) -> None:
    with embedded(data_dir, hold=False) as url, connect(url) as client:
        assert [f for f in check_server(client) if f.status != "ok"] == []
        assert client.config_get("hash-max-listpack-*") == {
            "hash-max-listpack-value": "1024",
            "hash-max-listpack-entries": "512",
        }


def test_a_folder_that_others_could_read_is_closed_to_them(data_dir: Path) -> None:
    (data_dir / "valkey").mkdir(parents=True, mode=0o755)
    with embedded(data_dir, hold=False):
        assert mode(data_dir / "valkey") == 0o700


def test_our_secrets_are_not_in_the_servers_environment(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERVISIT_TWILIO_AUTH_TOKEN", "made-up")
    monkeypatch.setenv("LANG", "C.UTF-8")
    with embedded(data_dir, hold=False):
        (server,) = embedded_servers(data_dir)
        environment = server.environ()
        assert "LANG" in environment
        assert not [name for name in environment if name.startswith("AFTERVISIT_")]


def test_the_server_is_in_a_session_of_its_own(data_dir: Path) -> None:
    with embedded(data_dir, hold=False):
        (server,) = embedded_servers(data_dir)
        assert server.terminal() is None
        session = Path(f"/proc/{server.pid}/stat")
        if session.exists():
            assert session.read_text().rpartition(") ")[2].split()[3] == str(server.pid)


def test_a_torn_end_of_the_log_of_writes_costs_only_the_torn_write(data_dir: Path) -> None:
    write_and_kill(data_dir, 100)
    log = newest_incremental_file(data_dir)
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 5)
    with embedded(data_dir, hold=False) as url, redis.Redis.from_url(url) as client:
        assert client.llen("written") == 99


def test_a_log_of_writes_broken_in_the_middle_is_reported_and_not_touched(data_dir: Path) -> None:
    write_and_kill(data_dir, 100)
    log = newest_incremental_file(data_dir)
    content = bytearray(log.read_bytes())
    content[200:240] = b"\0" * 40
    log.write_bytes(content)
    with (
        pytest.raises(StoreUnavailable, match=r"did not stay up.*restore the last backup"),
        embedded(data_dir, hold=False),
    ):
        pass
    assert log.read_bytes() == content


def test_a_log_file_that_grew_long_is_put_aside(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "LOG_LIMIT_BYTES", 10)
    for _ in range(2):
        with embedded(data_dir, hold=False):
            pass
    assert (data_dir / "valkey" / "valkey.log.1").exists()


@pytest.mark.parametrize(
    "name", ["plain", 'with "quotes" and spaces', "naïve", "back\\slash", "100%?#"]
)
def test_a_data_directory_of_any_name_serves(tmp_path: Path, name: str) -> None:
    with data_dir_for_embedded(tmp_path / name) as directory:
        for expected in (1, 2):
            with embedded(directory, hold=False) as url, connect(url) as client:
                assert client.incr("starts") == expected


def test_a_relative_data_directory_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        data_dir_for_embedded(Path("var")) as directory,
        embedded(directory, hold=False) as url,
        connect(url) as client,
    ):
        assert client.ping()


def test_the_socket_of_a_deep_data_directory_is_in_a_short_private_one(deep_data_dir: Path) -> None:
    with embedded(deep_data_dir, hold=True) as url, connect(url) as client:
        assert client.ping()
        (socket,) = Path(tempfile.gettempdir()).glob("aftervisit-*/*.sock")
        assert mode(socket) == 0o600
        assert mode(socket.parent) == 0o700


def test_a_process_with_another_temporary_directory_finds_that_socket(
    deep_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded(deep_data_dir, hold=True) as url:
        monkeypatch.setattr(tempfile, "tempdir", str(deep_data_dir))
        with embedded(deep_data_dir, hold=False) as joined:
            assert joined == url


def test_a_short_directory_open_to_others_is_refused(deep_data_dir: Path) -> None:
    with embedded(deep_data_dir, hold=False):
        (folder,) = Path(tempfile.gettempdir()).glob("aftervisit-*")
    folder.chmod(0o777)
    with (
        pytest.raises(ConfigurationError, match="not a directory of this user alone"),
        embedded(deep_data_dir, hold=False),
    ):
        pass


def test_a_link_in_place_of_the_short_directory_is_refused(
    deep_data_dir: Path, tmp_path: Path
) -> None:
    with embedded(deep_data_dir, hold=False):
        (folder,) = Path(tempfile.gettempdir()).glob("aftervisit-*")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError), embedded(deep_data_dir, hold=False):
        pass


@pytest.mark.parametrize(
    ("store", "broker"),
    [
        ("unix:///var/x/valkey.sock?db=0", "redis+socket:///var/x/valkey.sock?virtual_host=1"),
        ("unix:///a%20b/s", "redis+socket:///a%20b/s?virtual_host=1"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
        ("redis://u:p%40@h:6379/3", "redis://u:p%40@h:6379/4"),
        ("rediss://h/0?ssl_ca_certs=%2Fca.pem", "rediss://h/1?ssl_ca_certs=%2Fca.pem"),
        ("redis://h?db=2", "redis://h/3"),
    ],
)
def test_the_brokers_database_is_the_one_after_the_stores(store: str, broker: str) -> None:
    assert broker_url(store) == broker


def test_celerys_transport_works_over_the_embedded_socket(tmp_path: Path) -> None:
    with (
        data_dir_for_embedded(tmp_path / "a b?") as directory,
        embedded(directory, hold=False) as url,
        kombu.Connection(broker_url(url)) as connection,
    ):
        queue = connection.SimpleQueue("ids")
        queue.put({"partition": 7})
        message = queue.get(timeout=5)
        assert message.payload == {"partition": 7}
        message.ack()
        queue.close()
        with connect(url) as store:
            assert store.dbsize() == 0
