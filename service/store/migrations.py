"""Records of migrations: what was asked for, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import redis

from service.clock import MachineClock
from service.store import keys
from service.store.connection import store_errors
from service.store.keys import RandomBytes, letters
from service.store.scripts import as_text

LEASE_MS: Final = 5_000
"""So long one who works on a migration has it for itself; a slice takes about a second."""
_ID_LETTERS: Final = 10

State = Literal["running", "waiting", "done", "stopped"]
"""``waiting``: some are in flight, and are looked at again; ``stopped``: by a person."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    Attributes:
        old: version that patients are in; ``new`` the one that they are moved to.
        clinics: only patients of these; empty: of every clinic.
        dry: nothing is moved, it is only told what would be.
    """

    series: str
    old: int
    new: int
    clinics: tuple[str, ...] = ()
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a walk over all patients is.

    Attributes:
        place: of the store, empty at the beginning of a pass.
        counts: of the pass; see ``service.authoring.tally``.
        steps: the same by the names of steps.
        examples: some of those whom it changes most for, by the id of their subscription.
    """

    place: str = ""
    passes: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    examples: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Migration:
    """One order and its progress. ``started_ms``, ``told_ms`` (the last progress): machine ms."""

    id: str
    order: Order
    by: str
    state: State
    started_ms: int
    told_ms: int
    progress: Progress = field(default_factory=Progress)

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do of itself."""
        return self.state in {"running", "waiting"}


class Migrations:
    """Keeps them for good: they are evidence of who moved whom."""

    def __init__(self, client: redis.Redis, machine: MachineClock, random: RandomBytes) -> None:
        self._client = client
        self._machine = machine
        self._random = random

    def create(self, order: Order, by: str) -> Migration:
        """Put an order on record, to be worked on.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        now_ms = self._machine.now_ms()
        identifier = letters(self._random(_ID_LETTERS))
        made = Migration(identifier, order, by, "running", now_ms, now_ms)
        with store_errors(self._client):
            self._client.hset(keys.migration(identifier), "c", _packed(made))
            self._client.zadd(keys.MIGRATIONS, {identifier: now_ms})
            self._client.zadd(keys.OPEN_MIGRATIONS, {identifier: now_ms})
        return made

    def find(self, identifier: str) -> Migration | None:
        """One of them; None where there is none of that id."""
        with store_errors(self._client):
            found = self._client.hmget(keys.migration(identifier), "c", "stopped")
        return _unpacked(found[0], stopped=found[1] is not None) if found[0] else None

    def recent(self, most: int = 20) -> list[Migration]:
        """The newest, newest first."""
        with store_errors(self._client):
            found = _texts(self._client.zrange(keys.MIGRATIONS, 0, most - 1, desc=True))
        each = (self.find(identifier) for identifier in found)
        return [migration for migration in each if migration]

    def save(self, migration: Migration, *, look_ms: int | None) -> None:
        """Note progress; ``look_ms``: when it is to be looked at again, machine ms; None: never."""
        with store_errors(self._client):
            self._client.hset(keys.migration(migration.id), "c", _packed(migration))
            if look_ms is None:
                self._client.zrem(keys.OPEN_MIGRATIONS, migration.id)
            else:
                self._client.zadd(keys.OPEN_MIGRATIONS, {migration.id: look_ms})

    def stop(self, identifier: str, by: str) -> None:
        """Have nobody be moved any more; it stays so, whatever a worker notes meanwhile."""
        with store_errors(self._client):
            self._client.hset(keys.migration(identifier), "stopped", by)
            self._client.zrem(keys.OPEN_MIGRATIONS, identifier)

    def waiting(self) -> list[str]:
        """Ids of those that are to be looked at by now."""
        with store_errors(self._client):
            now_ms = self._machine.now_ms()
            return _texts(self._client.zrangebyscore(keys.OPEN_MIGRATIONS, "-inf", now_ms))

    def look_at(self, identifier: str, *, in_ms: int) -> None:
        """Have one that is open looked at again in so many ms."""
        with store_errors(self._client):
            at_ms = self._machine.now_ms() + in_ms
            self._client.zadd(keys.OPEN_MIGRATIONS, {identifier: at_ms}, xx=True)

    def take(self, identifier: str, token: str) -> bool:
        """Have a migration for oneself for a while, or for longer; False where another has it."""
        key = f"{keys.migration(identifier)}:lease"
        with store_errors(self._client):
            if self._client.set(key, token, nx=True, px=LEASE_MS):
                return True
            if self._client.get(key) != token.encode():
                return False
            return bool(self._client.pexpire(key, LEASE_MS))


def _texts(members: Sequence[Any]) -> list[str]:
    return [as_text(member) for member in members]


def _packed(migration: Migration) -> str:
    order, progress = migration.order, migration.progress
    return json.dumps(
        {
            "id": migration.id,
            "order": [order.series, order.old, order.new, list(order.clinics), order.dry],
            "by": migration.by,
            "state": migration.state,
            "started": migration.started_ms,
            "told": migration.told_ms,
            "place": progress.place,
            "passes": progress.passes,
            "counts": progress.counts,
            "steps": progress.steps,
            "examples": progress.examples,
        },
        default=dict,
    )


def _unpacked(packed: bytes | str, *, stopped: bool) -> Migration:
    read = json.loads(packed)
    series, old, new, clinics, dry = read["order"]
    progress = Progress(
        read["place"], read["passes"], read["counts"], read["steps"], tuple(read["examples"])
    )
    found = Migration(
        read["id"],
        Order(series, old, new, tuple(clinics), dry),
        read["by"],
        read["state"],
        read["started"],
        read["told"],
        progress,
    )
    return replace(found, state="stopped") if stopped and found.is_open else found
