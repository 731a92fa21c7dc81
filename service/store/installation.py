"""The installation's own record: schema, partitions, the wrapped index key, and business time."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from service.clock import SystemClock, to_ms
from service.errors import ConfigurationError
from service.settings import ClockSetting
from service.store import keys
from service.store.connection import Durability, store_errors
from service.store.keyring import Index, KeyRing, new_index_key
from service.store.scripts import Scripts, as_bytes, as_text

SCHEMA = 1
KEY_IN_USE = "key"
"""Field of the installation's record: id of the key that encrypts."""
KEY_SINCE = "key_since"
"""Field of the same: since when, machine ms UTC; not there before the first rotation."""
LISTED = "listed"
"""Field of the same: everybody stands in the directory; not there in a store that was begun before
there was one, until `Listing` has been through it."""
COUNTED = "counted"
"""The same for the counts of insight, and `Recounting`."""
LISTING_MS = 600_000
"""How long one process has for that before another may begin."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What every process must agree on, read once at start.

    Attributes:
        partitions: fixed for ever at the first start.
        index: makes the keyed hashes that addresses are looked up by.
    """

    partitions: int
    index: Index


def open_installation(client: redis.Redis, keyring: KeyRing, partitions: int) -> Installation:
    """Read the installation record, writing it at the very first start (safe for several at once).

    Raises:
        ConfigurationError: the store belongs to a newer release, or its keys are not ours.
    """
    with store_errors(client):
        if not client.exists(keys.INSTALLATION):
            wrapped = keyring.wrap(new_index_key(), "index")
            pipeline = client.pipeline(transaction=True)
            # HSETNX on each field: the first writer's record stands whole, since it is one
            # transaction and every later one finds all fields taken.
            pipeline.hsetnx(keys.INSTALLATION, "schema", SCHEMA)
            pipeline.hsetnx(keys.INSTALLATION, "partitions", partitions)
            pipeline.hsetnx(keys.INSTALLATION, "index_key", wrapped)
            pipeline.hsetnx(keys.INSTALLATION, KEY_IN_USE, keyring.current)
            pipeline.hsetnx(keys.INSTALLATION, LISTED, 1)
            pipeline.hsetnx(keys.INSTALLATION, COUNTED, 1)
            pipeline.execute()
        record = client.hgetall(keys.INSTALLATION)
        if KEY_IN_USE.encode() not in record:  # begun by 0.1.0, where the newest encrypted
            client.hsetnx(keys.INSTALLATION, KEY_IN_USE, keyring.current)
    schema = int(record[b"schema"])
    if schema > SCHEMA:
        raise ConfigurationError(
            f"The store has schema {schema}, this release knows {SCHEMA}. Install the release "
            f"that wrote it, or a newer one."
        )
    keyring.use(key_in_use(client) or keyring.current)
    return Installation(
        int(record[b"partitions"]), Index(keyring.unwrap(as_bytes(record[b"index_key"]), "index"))
    )


def key_in_use(client: redis.Redis) -> str | None:
    """Id of the key that is to encrypt, in every process; None before the first start."""
    with store_errors(client):
        key_id = client.hget(keys.INSTALLATION, KEY_IN_USE)
    return None if key_id is None else as_text(key_id)


def use_key(client: redis.Redis, key_id: str, now_ms: int) -> None:
    """Say which key is to encrypt from now on; every process follows within a second or two."""
    with store_errors(client):
        client.hset(keys.INSTALLATION, mapping={KEY_IN_USE: key_id, KEY_SINCE: now_ms})


def key_used_since(client: redis.Redis) -> int:
    """Since when that key encrypts, machine ms UTC; 0 where it always has."""
    with store_errors(client):
        return int(client.hget(keys.INSTALLATION, KEY_SINCE) or 0)


def is_listed(client: redis.Redis) -> bool:
    """Whether everybody stands in the directory that staff search."""
    with store_errors(client):
        return bool(client.hexists(keys.INSTALLATION, LISTED))


def take_listing(client: redis.Redis) -> bool:
    """Whether this process is the one to enter them, for the next ten minutes."""
    with store_errors(client):
        return bool(client.set(keys.LISTING, 1, nx=True, px=LISTING_MS))


def note_listed(client: redis.Redis) -> None:
    """Say that they do."""
    with store_errors(client):
        client.hset(keys.INSTALLATION, LISTED, 1)
        client.delete(keys.LISTING)


def is_counted(client: redis.Redis) -> bool:
    """Whether everybody is counted for insight."""
    with store_errors(client):
        return bool(client.hexists(keys.INSTALLATION, COUNTED))


def note_counted(client: redis.Redis) -> None:
    """Say that they are."""
    with store_errors(client):
        client.hset(keys.INSTALLATION, COUNTED, 1)


class StoredClock:
    """Business time that runs fast: it lives in the store, and only beat moves it on."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._scripts = Scripts(client, Durability(local=False))

    def now_ms(self) -> int:
        """Business time, ms UTC, as every process sees it."""
        with store_errors(self._client):
            return int(self._client.hget(keys.CLOCK, "now") or 0)

    def set_ms(self, now_ms: int) -> bool:
        """Move it on, never back; the caller leads the beats. False where it is held."""
        return bool(self._scripts.run("advance", (keys.CLOCK,), (now_ms,)))

    def hold(self) -> None:
        """Keep it where it is for good: all that needs no new day goes on."""
        with store_errors(self._client):
            self._client.hset(keys.CLOCK, "held", 1)


def open_clock(client: redis.Redis, setting: ClockSetting) -> SystemClock | StoredClock:
    """The business clock that the store and the setting agree on.

    Raises:
        ConfigurationError: the store has run on a fast clock and the setting is real, or the
            other way round: its due times would all be wrong.
    """
    with store_errors(client):
        record = client.hgetall(keys.CLOCK)
        if not record:
            start = to_ms(setting.start) if setting.start else SystemClock().now_ms()
            pipeline = client.pipeline(transaction=True)
            pipeline.hsetnx(keys.CLOCK, "kind", "fast" if setting.fast else "real")
            pipeline.hsetnx(keys.CLOCK, "now", start)
            pipeline.execute()
            record = client.hgetall(keys.CLOCK)
    kind = as_text(record[b"kind"])
    if (kind == "fast") != setting.fast:
        raise ConfigurationError(
            f"This store runs on a {kind} clock, AFTERVISIT_CLOCK says otherwise. "
            f"Use the setting it was begun with, or another DATA_DIR or REDIS_URL."
        )
    return StoredClock(client) if setting.fast else SystemClock()
