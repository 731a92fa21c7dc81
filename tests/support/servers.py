"""Real servers for tests, each with a directory, a socket (or port) and a configuration of its own.

``valkey_server`` runs the valkey-server that the service itself embeds; ``redis_server`` runs the
machine's redis-server, which a test that needs it cannot do without: it is skipped with the reason
where there is none, and fails where CI is set.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import pytest
import redis

from service.store.embedded_server import server_binary
from tests.support.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULTS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "hash-max-listpack-value": "1024",
    "hash-max-listpack-entries": "512",
}


@dataclass
class Server:
    """A running server; ``start`` brings it back on the same directory after ``kill``."""

    binary: Path
    directory: Path
    config: dict[str, str]
    socket: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    arguments: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Redis URL of database 0."""
        if self.port:
            return f"redis://127.0.0.1:{self.port}/0"
        return f"unix://{quote(str(self.socket))}?db=0"

    def client(self, **options: object) -> redis.Redis:
        """A plain client, for what tests look at behind the service's back."""
        return redis.Redis.from_url(self.url, **options)

    def flush(self) -> None:
        """Throw all its data away."""
        with self.client() as client:
            client.flushall()

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self.directory / "server.log"
        lines = {**self.config, "port": str(self.port), "unixsocket": f'"{self.socket}"'}
        lines["dir"] = f'"{self.directory}"'
        config = self.directory / "server.conf"
        config.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.binary, config, *self.arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                # It inherits that SIGXFSZ is ignored: past a limit of `full_disk` a write fails,
                # as on a full disk, and does not kill it.
                restore_signals=False,
            )
        until(self._answers, f"the server answers; its log is {log}", limit_s=20)

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            log = (self.directory / "server.log").read_text(errors="replace")
            raise RuntimeError(f"the server ended at its start:\n{log[-2000:]}")
        with self.client() as client, suppress(redis.ConnectionError, redis.AuthenticationError):
            try:
                client.ping()
            except (redis.AuthenticationError, redis.ResponseError):
                return True  # it answers, though not to us
            return True
        return False

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        process = self.process
        if process is None:
            return
        process.send_signal(signal.SIGCONT)

        def ended() -> bool:
            process.terminate()  # again: a server that is writing its first log refuses at first
            return process.poll() is not None

        try:
            until(ended, "the server ends", limit_s=20)
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let no file of it grow any more while the block lasts, as where the disk is full."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        files = [path for path in self.directory.rglob("*") if path.is_file()]
        limits = server.rlimit(psutil.RLIMIT_FSIZE)
        server.rlimit(psutil.RLIMIT_FSIZE, (max(f.stat().st_size for f in files), limits[1]))
        try:
            yield
        finally:
            with suppress(psutil.NoSuchProcess):
                server.rlimit(psutil.RLIMIT_FSIZE, limits)

    def freeze(self) -> None:
        """Let it hang (SIGSTOP) until `thaw`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def valkey_server(directory: Path, *, tcp: bool = False, **config: str) -> Iterator[Server]:
    """Run the bundled valkey-server; ``config`` in its own words, underscores for dashes."""
    with _running(server_binary(), directory, tcp=tcp, config=config) as server:
        yield server


@contextmanager
def redis_server(directory: Path, *, tcp: bool = False, **config: str) -> Iterator[Server]:
    """Run the machine's redis-server, the oldest kind that the service is to work with."""
    with _running(redis_binary(), directory, tcp=tcp, config=config) as server:
        yield server


def redis_binary() -> Path:
    """The machine's redis-server; without one the test is skipped, or fails where CI is set."""
    found = shutil.which("redis-server")
    if found is None:
        reason = "this test needs a redis-server (apt-get install redis-server)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found)


@contextmanager
def sentinel_server(
    directory: Path,
    watched: str,
    primary: int,
    *,
    binary: Path | None = None,
    tcp: bool = True,
    quorum: int = 2,
    **config: str,
) -> Iterator[Server]:
    """Run the bundled valkey-server, or another, as a Sentinel.

    Args:
        directory: for its files.
        watched: the name of the set.
        primary: the port of its primary.
        binary: what to run.
        tcp: whether it listens on a plain port.
        quorum: how many Sentinels have to agree that the primary is lost.
        config: more of it, underscores for dashes.
    """
    words = {
        "sentinel monitor": f"{watched} 127.0.0.1 {primary} {quorum}",
        "sentinel down-after-milliseconds": f"{watched} 1000",
        "sentinel failover-timeout": f"{watched} 4000",
        **{key.replace("_", "-"): value for key, value in config.items()},
    }
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="av-") as folder:
        server = Server(
            binary or server_binary(),
            directory,
            words,
            Path(folder) / "s",
            free_port() if tcp else 0,
            arguments=("--sentinel",),
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _running(
    binary: Path, directory: Path, *, tcp: bool, config: dict[str, str]
) -> Iterator[Server]:
    directory.mkdir(parents=True, exist_ok=True)
    words = {key.replace("_", "-"): value for key, value in config.items()}
    with tempfile.TemporaryDirectory(prefix="av-") as folder:  # a socket's path has to be short
        server = Server(
            binary, directory, {**DEFAULTS, **words}, Path(folder) / "s", free_port() if tcp else 0
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def embedded_servers(data_dir: Path) -> list[psutil.Process]:
    """The living embedded servers that work on a data directory."""
    home = str(data_dir.resolve() / "valkey")
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "valkey-server" in process.name() and process.cwd() == home:
                found.append(process)
    return found


@contextmanager
def data_dir_for_embedded(directory: Path) -> Iterator[Path]:
    """A data directory whose embedded servers do not outlive the test, however it ends."""
    try:
        yield directory
    finally:
        for process in embedded_servers(directory):
            with suppress(psutil.Error):
                process.kill()
