"""Checks of the store and the broker, over real connections."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import kombu
from kombu.exceptions import OperationalError
from redis.exceptions import ResponseError

from service.doctor.sentences import ok, problem, refused, warning
from service.errors import AftervisitError, ConfigurationError
from service.store import keys as names
from service.store.connection import store_errors
from service.store.embedded import embedded
from service.store.embedded_server import server_binary
from service.worker.brokers import broker_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from service.clock import MachineClock
    from service.findings import Finding
    from service.settings import Settings
    from service.store.keyring import KeyRing

LARGEST_SKEW_MS = 2000
"""How far this machine's clock may be from the store's: leases are counted on both."""
BROKER_TIMEOUT_S = 3
PACKED_BYTES = 256
"""The longest field of a patient's record, the encrypted contact, usually has 120 to 200."""
_PACKED_UP_TO = "hash-max-listpack-value"


@contextmanager
def store_url(settings: Settings) -> Iterator[str | None]:
    """The store's URL; None where it is an embedded one that has never been started.

    Raises:
        StoreUnavailable: the embedded server does not start.
        ConfigurationError: its directory cannot be used.
    """
    if settings.redis_url:
        yield settings.redis_url
    elif (settings.data_dir / "valkey").is_dir():
        with embedded(settings.data_dir, hold=False) as url:
            yield url
    else:
        yield None


def unstarted() -> Finding:
    """Whether the embedded server, which was never started here, could be."""
    name = "store"
    try:
        told = subprocess.run(  # noqa: S603 - the binary of a pinned dependency, no shell
            [server_binary(), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except ConfigurationError as error:
        return refused(name, error)
    except (OSError, subprocess.SubprocessError) as error:
        return problem(
            name,
            f"The embedded valkey-server does not run on this machine ({error}).",
            "Run a Redis 7 or Valkey server and set AFTERVISIT_REDIS_URL to it.",
        )
    return ok(name, f"The first start begins an embedded one: {told.stdout.split(' sha')[0]}.")


def has_record(client: redis.Redis) -> bool:
    """Whether an installation has been begun in the store.

    Raises:
        StoreUnavailable: it does not answer.
    """
    with store_errors(client):
        return bool(client.exists(names.INSTALLATION))


def record(client: redis.Redis, ring: KeyRing | None) -> Finding:
    """Whether our keys open the installation's own record."""
    name = "installation"
    with store_errors(client):
        wrapped = cast("bytes | None", client.hget(names.INSTALLATION, "index_key"))
    if wrapped is None:
        return ok(name, "The store is new.")
    if ring is None:
        return problem(
            name,
            "The store holds patients, and there are no keys to read them with.",
            "Restore the keys from the backup that belongs to this store.",
        )
    try:
        ring.unwrap(wrapped, "index")
    except AftervisitError as error:
        return refused(name, error)
    return ok(name, "Our keys open the store's record.")


def clocks(client: redis.Redis, settings: Settings, machine: MachineClock) -> list[Finding]:
    """Whether the store's clock agrees with the machine's, and its business clock with ours."""
    with store_errors(client):
        before = machine.now_ms()
        seconds, microseconds = client.time()
        skew = seconds * 1000 + microseconds // 1000 - (before + machine.now_ms()) // 2
        kind = cast("bytes | None", client.hget(names.CLOCK, "kind"))
    if abs(skew) > LARGEST_SKEW_MS:
        first = problem(
            "store clock",
            f"The store's clock and this machine's are {abs(skew) / 1000:.1f} s apart.",
            "Let NTP keep the clocks of both machines.",
        )
    else:
        first = ok("store clock", f"{abs(skew)} ms from this machine's.")
    if kind is None or (kind == b"fast") == settings.clock_setting.fast:
        return [first]
    return [
        first,
        problem(
            "store's business clock",
            f"The store was begun on a {kind.decode()} clock, AFTERVISIT_CLOCK says otherwise.",
            "Use the setting it was begun with, or another DATA_DIR or REDIS_URL.",
        ),
    ]


def packing(client: redis.Redis) -> list[Finding]:
    """Whether the store packs a patient's record; nothing where it does not tell."""
    name = "store: packing"
    with store_errors(client):
        try:
            told = client.config_get(_PACKED_UP_TO)
        except ResponseError:
            return []
    limit = told.get(_PACKED_UP_TO)
    if limit is None:
        return []
    if int(limit) >= PACKED_BYTES:
        return [ok(name, "Each patient's record is packed.")]
    return [
        warning(
            name,
            f"{_PACKED_UP_TO} is {limit}: each patient takes about half as much memory again.",
            f"Set {_PACKED_UP_TO} 1024 on that server before you enrol many.",
        )
    ]


def broker(url: str) -> Finding:
    """Whether the broker can be reached; its password is not shown."""
    name = "broker"
    remedy = "See that it runs, and that AFTERVISIT_BROKER_URL is its URL."
    try:
        reached = broker_of(url)
        connection = kombu.Connection(
            reached.url,
            connect_timeout=BROKER_TIMEOUT_S,
            transport_options={
                "socket_connect_timeout": BROKER_TIMEOUT_S,
                "socket_timeout": BROKER_TIMEOUT_S,
                **reached.options,
            },
        )
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT_S)
        finally:
            connection.release()
    except ConfigurationError as error:
        return refused(name, error)
    except (KeyError, ValueError, ImportError):
        return problem(name, "AFTERVISIT_BROKER_URL is no URL that Celery can use.", remedy)
    except (OperationalError, OSError) as error:
        return problem(name, f"The broker cannot be reached: {error}.", remedy)
    return ok(name, f"{connection.as_uri()} answers.")
