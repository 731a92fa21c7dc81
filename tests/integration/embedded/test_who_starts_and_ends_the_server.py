from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import redis

from service.errors import ConfigurationError, StoreUnavailable
from service.store import embedded_server
from service.store.embedded import embedded, revive
from tests.support.polling import until
from tests.support.servers import embedded_servers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.embedded.conftest import Launch


def run_id(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        return str(client.info("server")["run_id"])


def test_ten_processes_that_start_at_once_share_one_server(launch: Launch, data_dir: Path) -> None:
    users = [launch("owner" if i % 2 else "short") for i in range(10)]
    assert len({user.wait_until_in().run_id for user in users}) == 1
    assert len(embedded_servers(data_dir)) == 1
    for user in users:
        user.leave()
    assert embedded_servers(data_dir) == []


def test_a_server_whose_owner_was_killed_lives_on_and_is_adopted(
    launch: Launch, data_dir: Path
) -> None:
    killed = launch("owner").wait_until_in()
    with redis.Redis.from_url(killed.url) as client:
        client.set("patient", "kept")
    killed.kill()
    assert run_id(killed.url) == killed.run_id

    heir = launch("owner").wait_until_in()
    assert heir.run_id == killed.run_id
    with redis.Redis.from_url(heir.url) as client:
        assert client.get("patient") == b"kept"
    heir.leave()
    assert embedded_servers(data_dir) == []


def test_a_short_command_does_not_end_the_server_of_a_killed_owner(
    launch: Launch, data_dir: Path
) -> None:
    killed = launch("owner").wait_until_in()
    killed.kill()
    with embedded(data_dir, hold=False) as url:
        assert run_id(url) == killed.run_id
    assert run_id(killed.url) == killed.run_id


def test_a_short_command_does_not_end_the_server_of_a_living_owner(
    launch: Launch, data_dir: Path
) -> None:
    owner = launch("owner").wait_until_in()
    with embedded(data_dir, hold=False):
        pass
    assert run_id(owner.url) == owner.run_id


def test_a_short_command_ends_the_server_that_only_it_used(data_dir: Path) -> None:
    with embedded(data_dir, hold=False):
        assert len(embedded_servers(data_dir)) == 1
    assert embedded_servers(data_dir) == []


def test_a_short_command_leaves_the_server_it_started_to_one_that_joined(
    launch: Launch, data_dir: Path
) -> None:
    with embedded(data_dir, hold=False) as url:
        joined = launch("short").wait_until_in()
    assert run_id(url) == joined.run_id
    joined.leave()
    assert embedded_servers(data_dir) == []


def test_an_owner_that_leaves_does_not_take_the_server_from_a_short_command(
    launch: Launch, data_dir: Path
) -> None:
    owner = launch("owner").wait_until_in()
    with embedded(data_dir, hold=False) as url:
        owner.leave()
        assert run_id(url) == owner.run_id
    assert embedded_servers(data_dir) == []


def test_one_owner_of_two_leaves_the_server_to_the_other(launch: Launch, data_dir: Path) -> None:
    web, worker = launch("owner").wait_until_in(), launch("owner").wait_until_in()
    web.leave()
    with embedded(data_dir, hold=False) as url:
        assert run_id(url) == worker.run_id
    assert run_id(worker.url) == worker.run_id
    worker.leave()
    assert embedded_servers(data_dir) == []


def test_an_error_in_the_body_still_leaves_in_order(data_dir: Path) -> None:
    with pytest.raises(KeyError), embedded(data_dir, hold=True):
        raise KeyError
    assert embedded_servers(data_dir) == []


def test_a_forked_child_that_ends_does_not_end_the_server(data_dir: Path) -> None:
    program = """
import os, sys, redis
from pathlib import Path
from service.store.embedded import embedded
with embedded(Path(sys.argv[1]), hold=True) as url:
    child = os.fork()
    if child == 0:
        sys.exit(0)
    os.waitpid(child, 0)
    print(redis.Redis.from_url(url).ping())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, data_dir], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"]
    assert embedded_servers(data_dir) == []


def test_the_server_stays_while_a_forked_child_of_a_killed_owner_works(data_dir: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from service.store.embedded import embedded
with embedded(Path(sys.argv[1]), hold=True) as url:
    if os.fork() == 0:
        print(url, flush=True)
        sys.stdin.read()
        os._exit(0)
    os.kill(os.getpid(), 9)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        parent.wait(timeout=20)
        with embedded(data_dir, hold=True):
            pass
        assert redis.Redis.from_url(url).ping()


def test_a_server_that_was_killed_comes_back_with_every_acknowledged_write(data_dir: Path) -> None:
    with embedded(data_dir, hold=True) as url:
        with redis.Redis.from_url(url) as client:
            for number in range(200):
                client.rpush("opt-outs", number)
        (server,) = embedded_servers(data_dir)
        server.kill()
        until(lambda: not embedded_servers(data_dir), "the server is gone")
        assert revive(data_dir)
        assert not revive(data_dir)
        with redis.Redis.from_url(url) as client:
            assert client.lrange("opt-outs", 0, -1) == [b"%d" % n for n in range(200)]


def test_a_socket_left_by_a_killed_server_is_no_obstacle(launch: Launch, data_dir: Path) -> None:
    owner = launch("owner").wait_until_in()
    (server,) = embedded_servers(data_dir)
    server.kill()
    owner.kill()
    assert (data_dir / "valkey" / "valkey.sock").exists()
    with embedded(data_dir, hold=False) as url:
        assert run_id(url) != owner.run_id


def test_who_finds_a_server_that_is_just_dying_starts_the_next(
    launch: Launch, data_dir: Path
) -> None:
    with embedded(data_dir, hold=False):
        pass
    dying = os.open(data_dir / "valkey" / "server.lock", os.O_RDWR)
    fcntl.flock(dying, fcntl.LOCK_EX)
    user = launch("short")
    users = data_dir / "valkey" / "users.lock"
    until(lambda: not _alone(users), "it has joined, and waits for an answer")
    assert embedded_servers(data_dir) == []
    os.close(dying)
    user.wait_until_in().leave()


def _alone(lock: Path) -> bool:
    descriptor = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_a_server_that_hangs_is_named_and_not_doubled(
    launch: Launch, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch("owner").wait_until_in()
    (server,) = embedded_servers(data_dir)
    server.suspend()
    monkeypatch.setattr(embedded_server, "START_LIMIT_S", 0.5)
    with (
        pytest.raises(StoreUnavailable, match=rf"process {server.pid} but does not answer"),
        embedded(data_dir, hold=False),
    ):
        pass
    server.resume()
    assert embedded_servers(data_dir) == [server]


def test_a_server_is_not_doubled_though_its_socket_was_removed(
    launch: Launch, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch("owner").wait_until_in()
    (server,) = embedded_servers(data_dir)
    (data_dir / "valkey" / "valkey.sock").unlink()
    monkeypatch.setattr(embedded_server, "START_LIMIT_S", 0.5)
    with pytest.raises(StoreUnavailable), embedded(data_dir, hold=False):
        pass
    assert embedded_servers(data_dir) == [server]


def test_a_copied_data_directory_gets_a_server_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    with embedded(data_dir, hold=True) as url:
        copy = tmp_path / "copy"
        subprocess.run(["cp", "-r", data_dir, copy], check=True)
        with embedded(copy, hold=True) as other:
            assert run_id(other) != run_id(url)


def test_a_directory_of_another_user_is_refused(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "valkey").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with (
        pytest.raises(ConfigurationError, match="belongs to user"),
        embedded(data_dir, hold=False),
    ):
        pass


def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="AFTERVISIT_DATA_DIR"),
        embedded(tmp_path / "file" / "var", hold=False),
    ):
        pass
