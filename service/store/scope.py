"""The question that a confirmed STOP asks where several series end by it; open for a day.

If it is lost, everything stays stopped: no answer means that (47 CFR 64.1200(a)(12)).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

import redis

from service.store.connection import store_errors
from service.store.keys import PartitionKeys

OPEN_MS: Final = 86_400_000


class ScopeQuestions:
    """Remembers, for an address, the series that it may keep."""

    def __init__(self, client: redis.Redis, keys_of: Callable[[str], PartitionKeys]) -> None:
        self._client = client
        self._keys_of = keys_of

    def ask(self, address: str, series: Sequence[str]) -> None:
        """Remember the question; a newer one takes the place of an older.

        Args:
            address: its digest.
            series: names, in the order in which they are offered.

        Raises:
            StoreUnavailable: it may not be remembered.
        """
        with store_errors(self._client):
            key = self._keys_of(address).scope(address)
            self._client.set(key, json.dumps(list(series)), px=OPEN_MS)

    def asked(self, address: str) -> tuple[str, ...]:
        """The series that were offered; empty where no question is open."""
        with store_errors(self._client):
            found = self._client.get(self._keys_of(address).scope(address))
        return tuple(json.loads(found)) if found else ()
