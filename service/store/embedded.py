"""The embedded store: one real valkey-server for everybody who works on one data directory.

Locks of the kernel (``flock``) decide everything, and so hold whatever is killed:

* ``server.lock`` is held by the server process itself, which inherits the descriptor. While a
  server lives on the directory, in whatever container, no second one can be started.
* ``users.lock`` is shared by every process inside `embedded`, ``owners.lock`` by the long-lived
  ones among them; who can take such a lock alone is the last.
* ``start.lock`` is held only while one process decides to start, join or stop.

Who ends the server: the last user that leaves in order, except that a short command never ends a
server of owners (``up``, ``web``, ``worker``, ``beat``). If those were killed, it runs on and is
adopted by whoever comes next; the mark ``held`` tells a short command that it is such a server.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import redis

from service.errors import ConfigurationError, StoreUnavailable
from service.store import embedded_server as server
from service.store.urls import EXAMPLES, read_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def embedded(data_dir: Path, *, hold: bool) -> Iterator[str]:
    """Join the data directory's server, starting it where none runs; yields its redis URL.

    Args:
        data_dir: ``AFTERVISIT_DATA_DIR``; the server's files are in its ``valkey`` folder.
        hold: this is a long-lived owner (``up``, ``web``, ``worker``, ``beat``).

    Raises:
        StoreUnavailable: the server does not start or answer; names its log.
        ConfigurationError: the directory cannot be used, or there is no server for this machine.
    """
    home = server.prepare_home(data_dir)
    pid = os.getpid()
    memberships = [server.open_lock(home / "users.lock")]
    if hold:
        memberships.append(server.open_lock(home / "owners.lock"))
    try:
        with server.deciding(home):
            started = _join(home, memberships, owner=hold)
        server.await_answer(home, started=started)
        yield f"unix://{quote(str(server.socket_path(home)))}?db=0"
    finally:
        for membership in memberships:  # closed, not unlocked: forked children go on counting
            os.close(membership)
        if os.getpid() == pid:  # a forked child that unwinds through here decides nothing
            _leave(home, owner=hold)


def revive(data_dir: Path) -> bool:
    """Start the server again if it died; True if it had to. For owners inside `embedded`.

    Raises:
        StoreUnavailable: it does not come up.
    """
    home = server.prepare_home(data_dir)
    with server.deciding(home):
        started = server.start_unless_running(home)
    return server.await_answer(home, started=started)


def broker_url(store_url: str) -> str:
    """The URL of the queue's database on the store's own server: the one after the store's.

    ``unix:///path?db=0`` becomes ``redis+socket:///path?virtual_host=1`` (kombu's form), and
    ``redis://host/0`` becomes ``redis://host/1``.

    Raises:
        ConfigurationError: the store is a cluster, which has no second database, or a set with
            Sentinels, whose every write may wait for its replicas.
    """
    if read_url(store_url).form != "server":
        raise ConfigurationError(
            "Where the store is a cluster or a set with Sentinels, Celery's broker has to be "
            "chosen. Set AFTERVISIT_BROKER_URL to amqp://user:password@host:5672// (RabbitMQ), "
            f"redis://host:6379/0, or {EXAMPLES['sentinel']}."
        )
    parts = urlsplit(store_url)
    options = dict(parse_qsl(parts.query))
    database = options.pop("db", None)
    if parts.scheme == "unix":
        options["virtual_host"] = str(int(database or 0) + 1)
        # urlunsplit would leave out the empty host before a path under an unknown scheme.
        return f"redis+socket://{parts.netloc}{parts.path}?{urlencode(options)}"
    path = f"/{int(database or parts.path.strip('/') or 0) + 1}"
    return urlunsplit(parts._replace(path=path, query=urlencode(options)))


def _join(home: Path, memberships: list[int], *, owner: bool) -> bool:
    """Become a user, and start the server unless it runs; whether it was started."""
    for membership in memberships:
        fcntl.flock(membership, fcntl.LOCK_SH)
    held = home / "held"
    started = server.start_unless_running(home)
    if owner:
        held.touch(mode=0o600)
    elif started and server.is_free(home / "owners.lock"):
        held.unlink(missing_ok=True)  # the owners it tells of are gone, and so is their server
    return started


def _leave(home: Path, *, owner: bool) -> None:
    """End the server if nobody is left; where that cannot be decided or done, it runs on."""
    held = home / "held"
    with suppress(StoreUnavailable, redis.RedisError, OSError), server.deciding(home):
        if owner and server.is_free(home / "owners.lock"):
            held.unlink(missing_ok=True)
        if server.is_free(home / "users.lock") and not held.exists() and server.lives(home):
            server.stop(home)
