"""How often something may be done to an address, or by a source: shared by all processes."""

from __future__ import annotations

from service.clock import MachineClock
from service.store import keys
from service.store.scripts import Scripts


class Limits:
    """Counts against limits, on machine time; what is counted is known by keyed hashes only."""

    def __init__(self, scripts: Scripts, clock: MachineClock) -> None:
        self._scripts = scripts
        self._clock = clock

    def allow(self, name: str, digest: str, most: int, per_s: float) -> bool:
        """Whether it may be done once more; it is counted where it may.

        No stretch of ``per_s`` seconds, wherever it begins, ever has more than ``most``. What was
        refused is not counted: whoever goes on asking is let through as soon as anybody would be.

        Args:
            name: of the limit, such as ``page-link``; each counts for itself.
            digest: a keyed hash of the address or source (``Index.digest``), never these as such.
            most: how often; keep it small, the time of each is kept.
            per_s: over how many seconds.

        Raises:
            StoreUnavailable: nothing was counted; allow nothing.
        """
        return self._ask(name, digest, most, per_s, counts=True)

    def would_allow(self, name: str, digest: str, most: int, per_s: float) -> bool:
        """The same without counting it.

        Raises:
            StoreUnavailable: allow nothing.
        """
        return self._ask(name, digest, most, per_s, counts=False)

    def _ask(self, name: str, digest: str, most: int, per_s: float, *, counts: bool) -> bool:
        args = (self._clock.now_ms(), most, int(per_s * 1000), int(counts))
        return bool(self._scripts.run("limit", (keys.limit(name, digest),), args))
