"""Whether a beat ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.dispatch.pulse import LATE_MS, tick_age_ms
from service.doctor.sentences import ok, warning

if TYPE_CHECKING:
    import redis

    from service.clock import MachineClock
    from service.findings import Finding


def beat(client: redis.Redis, machine: MachineClock) -> list[Finding]:
    """How long ago a beat last ticked; nothing to tell before the first one has.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    age_ms = tick_age_ms(client, machine)
    if age_ms is None:
        return []
    if age_ms < LATE_MS:
        return [ok("beat", f"A beat ticked {age_ms / 1000:.0f} s ago.")]
    return [
        warning(
            "beat",
            f"No beat has ticked for {age_ms // 60_000} minutes: nothing that falls due is sent.",
            "Start aftervisit up (or beat), or restart it; what fell due goes out by each series' "
            "catch-up policy.",
        )
    ]
